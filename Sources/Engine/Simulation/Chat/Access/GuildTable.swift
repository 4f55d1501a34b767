import FluxCore
import FluxStore

/// The rows of all guilds.
struct GuildTable {
    private var guilds: [GuildID: GuildRows] = [:]
    private(set) var users: [UserID: User] = [:]

    mutating func found(_ guild: GuildRows, users: [User]) {
        guilds[guild.guild.id] = guild
        for user in users { self.users[user.id] = user }
    }

    subscript(id: GuildID) -> GuildRows? { guilds[id] }

    /// Runs the statements of one mutation. - Returns: the names of those of which nothing is known here.
    mutating func run(_ statements: [Statement]) -> [String] {
        statements.filter { statement in
            guard let id = statement.guildID else { return true }
            return guilds[id]?.run(statement) != true
        }.map(\.query.name)
    }
}

extension Statement {
    /// The guild whose row it writes. An invite is used under its code, which here is its guild's id.
    fileprivate var guildID: GuildID? {
        if case .text(let code)? = parameters.first { return GuildID(code) }
        let place = query.name == "channels.update" ? 1 : 0
        return parameters.indices.contains(place) ? parameters[place].snowflake : nil
    }
}
