import FluxCore
import FluxRealtime
import FluxStore

/// Looks people and places up in Postgres.
public struct StoreDirectory: Directory {
    private let users: Users
    private let memberships: Memberships
    private let invites: Invites
    private let relationships: Relationships
    private let conversations: DirectMessages

    /// Makes a directory over a database.
    public init(_ database: Database) {
        users = Users(database)
        memberships = Memberships(database)
        invites = Invites(database)
        relationships = Relationships(database)
        conversations = DirectMessages(database)
    }

    public func user(_ id: UserID) async throws -> User? { try await users.find(id) }

    public func user(named username: String) async throws -> User? { try await users.person(named: username) }

    public func guilds(of user: UserID) async throws -> [GuildID] { try await memberships.guildIDs(of: user) }

    public func guild(ofInvite code: String) async throws -> GuildID? { try await invites.find(code)?.guildID }

    public func profile(of user: UserID, for viewer: UserID) async throws -> Profile {
        async let guilds = memberships.mutualGuilds(viewer, user)
        async let friends = relationships.mutualFriends(viewer, user)
        async let bond = relationships.find(of: viewer, with: user)
        async let conversation = conversations.find(viewer, user)
        let isFriend = try await bond?.kind == .friend
        let hasConversation = try await conversation != nil
        return Profile(
            mutualGuilds: try await guilds.map { (id: $0.guildID, nick: $0.nick) }, mutualFriends: try await friends,
            isAcquainted: isFriend || hasConversation)
    }
}
