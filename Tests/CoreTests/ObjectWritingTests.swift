import FluxCore
import Testing

/// The keys that libraries fail without (protocol 6), in every variant in which an object is written.
@Suite struct ObjectWritingTests {
    private let guildID = GuildID(1)
    private let author = User(id: UserID(5), username: "ann", globalName: "Ann", email: "ann@example.org")
    private let bot = User(id: UserID(6), username: "robot", isBot: true)

    private func json(_ write: (inout JSONWriter) -> Void) throws -> JSON {
        var writer = JSONWriter()
        write(&writer)
        return try JSON.parse(writer.bytes)
    }

    private func keys(_ json: JSON) -> Set<String> {
        Set(json.objectValue?.members.map(\.key) ?? [])
    }

    @Test func aUserShowsNoEmailToOthers() throws {
        let shown = try json { author.write(to: &$0) }
        #expect(
            keys(shown).isSuperset(of: ["id", "username", "discriminator", "avatar", "global_name", "public_flags"]))
        #expect(shown["email"] == nil)
        #expect(shown["bot"] == nil)
        #expect(shown["discriminator"] == "0")
        let own = try json { author.writeOwn(to: &$0) }
        #expect(own["email"] == "ann@example.org")
        #expect(keys(own).isSuperset(of: ["mfa_enabled", "flags", "locale", "verified", "premium_type", "bio"]))
        let robot = try json { bot.write(to: &$0) }
        #expect(robot["bot"] == true)
        #expect(robot["discriminator"] == "0000")
    }

    @Test func aRoleHasAllThreeColoursAndTagsOnlyIfManagedByABot() throws {
        let plain = try json { Role(id: RoleID(9), guildID: guildID, name: "r", color: 255).write(to: &$0) }
        #expect(plain["colors"] == ["primary_color": 255, "secondary_color": nil, "tertiary_color": nil])
        #expect(plain["tags"] == nil)
        let managed = try json { Role(id: RoleID(9), guildID: guildID, name: "r", botID: bot.id).write(to: &$0) }
        #expect(managed["tags"] == ["bot_id": "6"])
    }

    @Test(arguments: ChannelKind.allCases)
    func aChannelHasTheKeysOfItsKind(kind: ChannelKind) throws {
        let channel = Channel(
            id: ChannelID(3), kind: kind, guildID: kind.isOfGuild ? guildID : nil, name: "c",
            overwrites: [Overwrite(id: guildID, kind: .role, allow: [], deny: .viewChannel)])
        let written = try json { channel.write(to: &$0, recipients: [author]) }
        #expect(written["type"]?.intValue == kind.rawValue)
        #expect((written["guild_id"] != nil) == kind.isOfGuild)
        #expect((written["recipients"] != nil) == !kind.isOfGuild)
        #expect((written["last_seq"] != nil) == kind.holdsMessages)
        #expect((written["bitrate"] != nil) == (kind == .voice))
        if kind.isOfGuild {
            #expect(written["permission_overwrites"] == [["id": "1", "type": 0, "allow": "0", "deny": "1024"]])
            #expect(keys(written).isSuperset(of: ["topic", "position", "parent_id", "nsfw", "rate_limit_per_user"]))
        }
    }

    @Test func aGuildHasEveryKeyThatHikariNeeds() throws {
        let written = try json {
            Guild(id: guildID, name: "g", ownerID: author.id).write(
                to: &$0, roles: [Role(id: guildID, guildID: guildID, name: "@everyone")])
        }
        let needed: Set<String> = [
            "id", "name", "icon", "splash", "owner_id", "afk_channel_id", "afk_timeout", "verification_level",
            "default_message_notifications", "explicit_content_filter", "roles", "emojis", "stickers", "features",
            "mfa_level",
            "application_id", "system_channel_id", "system_channel_flags", "rules_channel_id", "vanity_url_code",
            "description",
            "banner", "premium_tier", "preferred_locale", "public_updates_channel_id", "nsfw_level", "max_presences",
            "max_members",
        ]
        #expect(needed.subtracting(keys(written)) == [])
    }

    @Test func aMessageLeavesOutWhatDoesNotApply() throws {
        let message = Message(
            id: MessageID(1 << 40), channelID: ChannelID(3), authorID: author.id, content: "hi", seq: 4, epoch: 2)
        let plain = try json { message.write(to: &$0, author: author, mentions: [], mediaBase: "http://x") }
        let needed: Set<String> = [
            "id", "channel_id", "author", "content", "timestamp", "edited_timestamp", "tts", "pinned",
            "mention_everyone",
            "mentions", "mention_roles", "attachments", "embeds", "components", "type", "flags", "seq", "epoch",
        ]
        #expect(keys(plain) == needed)
        #expect(plain["edited_timestamp"] == .null)
        #expect(plain["seq"] == 4)
    }

    @Test func aMessageInAGuildEventCarriesGuildAndMember() throws {
        var message = Message(
            id: MessageID(1 << 40), channelID: ChannelID(3), guildID: guildID, authorID: author.id, kind: .reply,
            content: "hi <@6>", mentions: [bot.id],
            attachments: [Attachment(id: AttachmentID(8), filename: "ä.png", size: 3, width: 2, height: 1)],
            nonce: "n",
            reference: MessageReference(channelID: ChannelID(3), messageID: MessageID(77), guildID: guildID),
            seq: 4, epoch: 2)
        let member = Member(userID: author.id, guildID: guildID, joinedAt: Timestamp(microseconds: 0))
        var memberWriter = JSONWriter()
        member.write(to: &memberWriter, user: nil)
        let event = try json {
            message.write(
                to: &$0, author: author, mentions: [bot],
                reactions: [ReactionCount(emoji: Emoji(id: nil, name: "👍"), count: 2, me: true)],
                referenced: .deleted, guildEvent: .init(guildID: guildID, member: memberWriter.bytes),
                mediaBase: "http://x")
        }
        #expect(event["guild_id"] == "1")
        #expect(event["member"]?["joined_at"] == "1970-01-01T00:00:00.000000+00:00")
        #expect(event["member"]?["user"] == nil)
        #expect(event["referenced_message"] == .null)
        #expect(event["message_reference"] == ["type": 0, "channel_id": "3", "message_id": "77", "guild_id": "1"])
        #expect(event["nonce"] == "n")
        #expect(event["attachments"]?.arrayValue?.first?["url"] == "http://x/attachments/3/8/%C3%A4.png")
        #expect(event["reactions"]?.arrayValue?.first?["emoji"] == ["id": nil, "name": "👍"])
        #expect(event["mentions"]?.arrayValue?.first?["id"] == "6")
        message.webhookID = WebhookID(4)
        let webhook = try json {
            message.write(
                to: &$0, author: author, mentions: [], guildEvent: .init(guildID: guildID, member: nil), mediaBase: "")
        }
        #expect(webhook["member"] == nil)
        #expect(webhook["referenced_message"] == nil)
    }

    @Test func errorsHaveTheirBodies() throws {
        #expect(try JSON.parse(APIError.unauthorized.encoded()) == ["message": "401: Unauthorized", "code": 0])
        let limited = try JSON.parse(APIError.rateLimited(retryAfter: 1.5, isGlobal: true).encoded())
        #expect(limited == ["message": "You are being rate limited.", "retry_after": 1.5, "global": true])
    }

    @Test func invitesShowCountsOnlyWhereAsked() throws {
        let invite = Invite(
            code: "abc", guildID: guildID, channelID: ChannelID(3), inviterID: nil,
            createdAt: Timestamp(microseconds: 0))
        let channel = Channel(id: ChannelID(3), kind: .text, guildID: guildID, name: "c")
        let guild = Guild(id: guildID, name: "g", ownerID: author.id)
        let shown = try json { invite.write(to: &$0, channel: channel, guild: guild, inviter: nil) }
        #expect(shown["uses"] == nil)
        #expect(shown["inviter"] == nil)
        #expect(shown["expires_at"] == "1970-01-02T00:00:00.000000+00:00")
        let counted = try json {
            invite.write(to: &$0, channel: channel, guild: guild, inviter: author, withCounts: true)
        }
        #expect(keys(counted).isSuperset(of: ["uses", "max_uses", "max_age", "temporary", "created_at"]))
    }
}

@Suite struct EventKindTests {
    @Test func namesAreUniqueAndFindTheirKind() {
        for kind in EventKind.allCases { #expect(EventKind(name: kind.name) == kind) }
        #expect(EventKind(name: "NOPE") == nil)
    }

    @Test func intentsAreThoseOfTheProtocol() {
        #expect(EventKind.messageCreate.guildIntent == .guildMessages)
        #expect(EventKind.messageCreate.directIntent == .directMessages)
        #expect(EventKind.presenceUpdate.guildIntent == .guildPresences)
        #expect(EventKind.interactionCreate.guildIntent == nil)
        #expect(EventKind.channelCreate.isForPeopleOnlyInDirect)
        #expect(!EventKind.channelCreate.isForPeopleOnly)
        #expect(EventKind.readReceipt.isForPeopleOnly)
    }
}
