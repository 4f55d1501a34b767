import FluxAPI
import FluxCore
import FluxStore

/// The lookups of the API as reads of the store.
struct StoreDirectory: Directory {
    private let users: Users
    private let memberships: Memberships
    private let invites: Invites
    private let relationships: Relationships
    private let directMessages: DirectMessages

    init(_ database: Database) {
        users = Users(database)
        memberships = Memberships(database)
        invites = Invites(database)
        relationships = Relationships(database)
        directMessages = DirectMessages(database)
    }

    func user(_ id: UserID) async throws -> User? {
        try await users.find(id)
    }

    func user(named username: String) async throws -> User? {
        try await users.person(named: username)
    }

    func guilds(of user: UserID) async throws -> [GuildID] {
        try await memberships.guildIDs(of: user)
    }

    func guild(ofInvite code: String) async throws -> GuildID? {
        try await invites.find(code)?.guildID
    }

    func profile(of user: UserID, for viewer: UserID) async throws -> Profile {
        let guilds = try await memberships.mutualGuilds(viewer, user)
        let friends = try await relationships.mutualFriends(viewer, user)
        let isFriend = try await relationships.find(of: viewer, with: user)?.relationship.kind == .friend
        let isAcquainted =
            if isFriend { true } else { try await directMessages.find(viewer, user) != nil }
        return Profile(
            mutualGuilds: guilds.map { (id: $0.guildID, nick: $0.nick) }, mutualFriends: friends,
            isAcquainted: isAcquainted)
    }
}
