import FluxAPI
import FluxCore
import FluxRealtime
import FluxSecurity
import HTTPTypes
import NIOConcurrencyHelpers

/// Believes `Authorization: person N` and `Authorization: bot N`.
struct FakeAuthenticator: Authenticator {
    func authenticate(_ head: HTTPRequest, from address: ClientAddress) async throws -> Credential? {
        guard let text = head.headerFields[.authorization] else { return nil }
        let parts = text.split(separator: " ")
        guard parts.count == 2, let id = Snowflake(String(parts[1])) else { throw APIError.unauthorized }
        return Credential(userID: id, isBot: parts[0] == "bot")
    }
}

/// Writes down what it is asked and answers as it is told.
final class FakeEngine: Engine {
    enum Command: Sendable, Equatable {
        case guild(GuildCommand, GuildID)
        case channel(ChannelCommand, ChannelID)
        case user(UserCommand)
    }

    private let seen = NIOLockedValueBox<[Command]>([])
    private let answer: @Sendable (Command) throws -> CommandReply
    private let guilds: [ChannelID: GuildID]

    /// Answers every command, 204 if not told otherwise. Channels that are in no guild are conversations.
    init(
        guilds: [ChannelID: GuildID] = [:],
        answer: @escaping @Sendable (Command) throws -> CommandReply = { _ in .nothing }
    ) {
        self.guilds = guilds
        self.answer = answer
    }

    /// The commands so far, their idempotency keys set to 0 after checking that there were any.
    var commands: [Command] { seen.withLockedValue { $0 } }

    private func take(_ command: Command, key: UInt64) throws -> CommandReply {
        precondition(key != 0)
        seen.withLockedValue { $0.append(command) }
        return try answer(command)
    }

    func perform(_ command: GuildCommand, on guild: GuildID) async throws -> CommandReply {
        var plain = command
        plain.idempotencyKey = 0
        return try take(.guild(plain, guild), key: command.idempotencyKey)
    }

    func perform(_ command: ChannelCommand, on channel: ChannelID) async throws -> CommandReply {
        var plain = command
        plain.idempotencyKey = 0
        return try take(.channel(plain, channel), key: command.idempotencyKey)
    }

    func perform(_ command: UserCommand) async throws -> CommandReply {
        var plain = command
        plain.idempotencyKey = 0
        return try take(.user(plain), key: command.idempotencyKey)
    }

    func guild(of channel: ChannelID) async throws -> GuildID? { guilds[channel] }

    func mintID() throws -> Snowflake { Snowflake(1_000) }
}

/// A few people and places.
struct FakeDirectory: Directory {
    var users: [User] = []
    var memberships: [UserID: [GuildID]] = [:]
    var invites: [String: GuildID] = [:]
    var acquainted: Set<UserID> = []

    func user(_ id: UserID) async throws -> User? { users.first { $0.id == id } }
    func user(named username: String) async throws -> User? { users.first { $0.username == username } }
    func guilds(of user: UserID) async throws -> [GuildID] { memberships[user] ?? [] }
    func guild(ofInvite code: String) async throws -> GuildID? { invites[code] }
    func profile(of user: UserID, for viewer: UserID) async throws -> Profile {
        Profile(mutualGuilds: [], mutualFriends: [], isAcquainted: acquainted.contains(user))
    }
}
