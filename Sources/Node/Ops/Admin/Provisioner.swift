import FluxCore
import FluxStore

/// Makes what a ``ProvisionRequest`` asks for, in bulk and past the actors, and hands out a new access token for each
/// person. What an earlier call with the same prefix has made is found again by its names.
///
/// A guild that is new to a person who is connected shows at their next session.
struct Provisioner: Sendable {
    /// Signs an access token.
    typealias Issuer = @Sendable (UserID, LoginID) throws -> String

    private let store: Provision
    private let mintID: @Sendable () throws -> Snowflake
    private let issue: Issuer

    init(database: Database, mintID: @escaping @Sendable () throws -> Snowflake, issue: @escaping Issuer) {
        store = Provision(database)
        self.mintID = mintID
        self.issue = issue
    }

    /// Makes everything, then writes one line a person, in the order of their names' numbers.
    func run(_ request: ProvisionRequest, _ writer: ProvisionWriter) async throws {
        do {
            let people = try await people(request)
            let guilds = try await guilds(request, people)
            try await writeLines(request, people, guilds, to: writer)
        } catch let error as StoreError {
            throw CommandFailure(.failure, "not all could be made: \(error)")
        } catch let error as APIError {
            throw CommandFailure(.failure, "not all could be made: \(error.message)")
        }
    }

    private func people(_ request: ProvisionRequest) async throws -> [UserID] {
        let names = (0..<request.users).map(request.username)
        let known = try await store.people(named: names)
        var added: [User] = []
        let ids = try names.map { name in
            if let id = known[name] { return id }
            let user = User(id: try mintID(), username: name)
            added.append(user)
            return user.id
        }
        try await store.insert(users: added)
        return ids
    }

    private struct MadeGuild {
        let id: GuildID
        let channels: [ChannelID]
    }

    private func guilds(_ request: ProvisionRequest, _ people: [UserID]) async throws -> [MadeGuild] {
        let wanted = (0..<request.guilds).map { position in
            (owner: people[request.people(ofGuild: position)[0]], name: request.guildName(position))
        }
        let known = try await store.guilds(wanted)
        let knownChannels = try await store.textChannels(of: Array(known.values))
        var rows = NewRows()
        let guilds = try wanted.enumerated().map { position, guild in
            if let id = known[guild.name] { return MadeGuild(id: id, channels: knownChannels[id] ?? []) }
            return try make(guild.name, request.people(ofGuild: position).map { people[$0] }, request.channels, &rows)
        }
        try await store.insert(guilds: rows.guilds, roles: rows.roles, channels: rows.channels)
        try await store.insert(members: rows.members)
        return guilds
    }

    private struct NewRows {
        var guilds: [Guild] = []
        var roles: [Role] = []
        var channels: [Channel] = []
        var members: [Member] = []
    }

    private func make(
        _ name: String, _ members: [UserID], _ channelCount: Int, _ rows: inout NewRows
    ) throws -> MadeGuild {
        let guild = Guild(id: try mintID(), name: name, ownerID: members[0])
        rows.guilds.append(guild)
        rows.roles.append(
            Role(id: guild.id, guildID: guild.id, name: "@everyone", permissions: .everyoneDefault))
        let channels = try (0..<channelCount).map { position in
            Channel(
                id: try mintID(), kind: .text, guildID: guild.id, name: "channel-\(position)",
                position: position)
        }
        rows.channels += channels
        rows.members += members.map { Member(userID: $0, guildID: guild.id, joinedAt: guild.createdAt) }
        return MadeGuild(id: guild.id, channels: channels.map(\.id))
    }

    private func writeLines(
        _ request: ProvisionRequest, _ people: [UserID], _ guilds: [MadeGuild], to writer: ProvisionWriter
    ) async throws {
        var memberships: [[Int]] = Array(repeating: [], count: people.count)
        for guild in guilds.indices {
            for person in request.people(ofGuild: guild) { memberships[person].append(guild) }
        }
        let now = Timestamp.now()
        let logins = try people.map { (id: try mintID(), userID: $0) }
        try await store.insert(logins: logins, at: now)
        for (position, login) in logins.enumerated() {
            let own = memberships[position].map { guilds[$0] }
            try await writer.person(
                id: login.userID, username: request.username(position),
                accessToken: try issue(login.userID, login.id), guildIDs: own.map(\.id),
                channelIDs: own.flatMap(\.channels))
        }
    }
}
