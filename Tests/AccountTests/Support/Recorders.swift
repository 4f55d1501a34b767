import FluxAPI
import FluxCore
import FluxRealtime
import FluxStore
import NIOConcurrencyHelpers

/// Notes whose gateway sessions would be closed.
final class RecordingRevoker: SessionRevoker {
    enum Revocation: Sendable, Equatable {
        case login(LoginID, UserID)
        case bot(UserID)
    }

    private let seen = NIOLockedValueBox<[Revocation]>([])

    var revocations: [Revocation] { seen.withLockedValue { $0 } }

    func loginEnded(_ loginID: LoginID, of userID: UserID) async {
        seen.withLockedValue { $0.append(.login(loginID, userID)) }
    }

    func credentialsRevoked(of userID: UserID) async {
        seen.withLockedValue { $0.append(.bot(userID)) }
    }
}

/// Notes the commands that would go to actors, and mints ids.
final class RecordingEngine: Engine {
    private let guildCommands = NIOLockedValueBox<[(command: GuildCommand, guild: GuildID)]>([])
    private let userCommands = NIOLockedValueBox<[UserCommand]>([])
    private let lastID: NIOLockedValueBox<UInt64>
    private let refusal = NIOLockedValueBox<APIError?>(nil)

    init(firstID: Snowflake) {
        lastID = NIOLockedValueBox(firstID.rawValue)
    }

    var guild: [(command: GuildCommand, guild: GuildID)] { guildCommands.withLockedValue { $0 } }
    var user: [UserCommand] { userCommands.withLockedValue { $0 } }

    /// From now on guilds refuse everything, or nothing.
    func refuse(with error: APIError?) { refusal.withLockedValue { $0 = error } }

    func perform(_ command: GuildCommand, on guild: GuildID) async throws -> CommandReply {
        guildCommands.withLockedValue { $0.append((command, guild)) }
        if let error = refusal.withLockedValue({ $0 }) { throw error }
        guard case .summary = command.operation else { return .nothing }
        return .ok { writer in
            writer.beginObject()
            writer.field("id", guild)
            writer.field("name", "a guild")
            writer.field("permissions", Permissions.manageGuild)
            writer.endObject()
        }
    }

    func perform(_ command: ChannelCommand, on channel: ChannelID) async throws -> CommandReply { .nothing }

    func perform(_ command: UserCommand) async throws -> CommandReply {
        userCommands.withLockedValue { $0.append(command) }
        return .nothing
    }

    func guild(of channel: ChannelID) async throws -> GuildID? { nil }

    func mintID() throws -> Snowflake {
        lastID.withLockedValue { last in
            last += 1
            return Snowflake(last)
        }
    }
}

/// People out of the store, and the guilds that the test says.
struct TestDirectory: Directory {
    let users: Users
    let memberships: NIOLockedValueBox<[UserID: [GuildID]]>
    let invites: [String: GuildID]

    func user(_ id: UserID) async throws -> User? { try await users.find(id) }
    func user(named username: String) async throws -> User? { try await users.person(named: username) }
    func guilds(of user: UserID) async throws -> [GuildID] { memberships.withLockedValue { $0[user] ?? [] } }
    func guild(ofInvite code: String) async throws -> GuildID? { invites[code] }
    func profile(of user: UserID, for viewer: UserID) async throws -> Profile {
        Profile(mutualGuilds: [], mutualFriends: [], isAcquainted: false)
    }
}
