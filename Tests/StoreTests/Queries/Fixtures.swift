import FluxCore

@testable import FluxStore

/// Values for tests, all different from their defaults, so that a column that is forgotten or swapped is seen.
enum Fixture {
    static let moment = Timestamp(microseconds: 1_770_000_000_123_456)

    static func id(_ number: UInt64) -> Snowflake {
        Snowflake(Snowflake.lowest(atMilliseconds: moment.milliseconds).rawValue + number)
    }

    static func person(_ number: UInt64, name: String? = nil) -> User {
        User(
            id: id(number), username: name ?? "person\(number)", globalName: "Person \(number)",
            avatar: "avatar\(number)",
            banner: "banner", accentColor: 0x12_34_56, bio: "bio", pronouns: "they", publicFlags: 7,
            email: "person\(number)@example.org", locale: "de", createdAt: moment.adding(seconds: Int64(number)))
    }

    static func bot(_ number: UInt64) -> User {
        User(id: id(number), username: "Bot", isBot: true, createdAt: moment)
    }

    static func guild(_ number: UInt64, owner: UserID) -> Guild {
        Guild(
            id: id(number), name: "guild", ownerID: owner, icon: "icon", splash: "splash", banner: "banner",
            description: "description", afkChannelID: id(801), afkTimeout: 60, systemChannelID: id(802),
            systemChannelFlags: 3, rulesChannelID: id(803), publicUpdatesChannelID: id(804), verificationLevel: 1,
            defaultMessageNotifications: 1, explicitContentFilter: 2, nsfwLevel: 3, preferredLocale: "fr",
            features: ["COMMUNITY", "NEWS"], createdAt: moment)
    }

    static func role(_ number: UInt64, guildID: GuildID, position: Int = 3) -> Role {
        Role(
            id: id(number), guildID: guildID, name: "role", permissions: Permissions(rawValue: 1 << 63 | 5), color: 1,
            secondaryColor: 2, tertiaryColor: 3, position: position, hoist: true, managed: true, mentionable: true,
            icon: "icon", unicodeEmoji: "🦊", botID: id(900))
    }

    static func channel(_ number: UInt64, guildID: GuildID?) -> Channel {
        Channel(
            id: id(number), kind: .news, guildID: guildID, name: "channel", position: 4, topic: "topic",
            parentID: id(805), nsfw: true, slowmodeSeconds: 5, bitrate: 96_000, userLimit: 6, ownerID: id(806),
            icon: "icon", lastPinAt: moment)
    }

    static func member(_ user: UInt64, guildID: GuildID, roles: [RoleID] = []) -> Member {
        Member(
            userID: id(user), guildID: guildID, nick: "nick", avatar: "avatar", roles: roles, joinedAt: moment,
            flags: 9,
            deaf: true, mute: true, pending: true, timedOutUntil: moment.adding(seconds: 60))
    }

    static func message(
        _ number: UInt64, channelID: ChannelID, author: UserID = id(1), seq: SequenceNumber, epoch: Epoch = 1,
        content: String = "hello"
    ) -> Message {
        Message(id: id(number), channelID: channelID, authorID: author, content: content, seq: seq, epoch: epoch)
    }
}

extension Database {
    /// Writes messages as a lane does.
    func insert(_ messages: [Message]) async throws {
        try await run(LaneStatements.insertMessages(messages.map { MessageRow($0) }))
    }

    /// Runs statements as a lane does: one transaction.
    func apply(_ statements: Statement...) async throws {
        try await transaction(statements)
    }
}

/// The answer `work` must not give: the error it throws, or nil.
func storeError(of work: () async throws -> Void) async -> StoreError? {
    do {
        try await work()
        return nil
    } catch {
        return error as? StoreError
    }
}
