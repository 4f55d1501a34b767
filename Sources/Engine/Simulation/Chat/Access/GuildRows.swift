import FluxCore
import FluxStore

/// The rows of one guild, in memory: what its owner commits and the next one loads.
struct GuildRows {
    let guild: Guild
    let everyone: Role
    private(set) var channels: [Channel]
    private(set) var members: [Member]
    private(set) var invite: Invite
    /// Counts the guild's changes.
    private(set) var version: UInt64 = 0

    init(guild: Guild, everyone: Role, channels: [Channel], members: [Member], invite: Invite) {
        self.guild = guild
        self.everyone = everyone
        self.channels = channels
        self.members = members
        self.invite = invite
    }

    /// What `GuildLoading` reads.
    /// - Parameters:
    ///   - users: the accounts of all who may be members.
    ///   - head: where a channel's log stands.
    func loaded(
        users: [UserID: User], head: (ChannelID) -> (sequence: SequenceNumber, epoch: Epoch)
    ) -> LoadedGuild {
        LoadedGuild(
            guild: guild, roles: [everyone],
            channels: channels.map { row in
                var channel = row
                (channel.lastSeq, channel.epoch) = head(row.id)
                return channel
            },
            members: members.compactMap { member in
                users[member.userID].map { GuildMember(member: member, user: $0) }
            },
            inviteCount: 1, banCount: 0, version: version)
    }

    /// Does what a statement says. - Returns: false for one of which nothing is known here.
    mutating func run(_ statement: Statement) -> Bool {
        let parameters = statement.parameters
        switch statement.query.name {
        case "members.insert":
            guard let user = parameters[1].snowflake, case .timestamp(let joinedAt) = parameters[3] else {
                return false
            }
            members.removeAll { $0.userID == user }
            let place = members.firstIndex { $0.userID > user } ?? members.endIndex
            members.insert(Member(userID: user, guildID: guild.id, joinedAt: joinedAt), at: place)
        case "members.delete":
            guard let user = parameters[1].snowflake else { return false }
            members.removeAll { $0.userID == user }
            for index in channels.indices { channels[index].overwrites.removeAll { $0.id == user } }
        case "overwrites.put":
            guard let index = place(of: parameters[1]), let target = parameters[2].snowflake,
                case .int(let allow) = parameters[3], case .int(let deny) = parameters[4]
            else { return false }
            channels[index].overwrites.removeAll { $0.id == target }
            channels[index].overwrites.append(
                Overwrite(
                    id: target, kind: .member, allow: Permissions(rawValue: UInt64(bitPattern: allow)),
                    deny: Permissions(rawValue: UInt64(bitPattern: deny))))
        case "overwrites.delete":
            guard let index = place(of: parameters[1]), let target = parameters[2].snowflake else { return false }
            channels[index].overwrites.removeAll { $0.id == target }
        case "invites.use": invite.uses += 1
        case "guilds.setVersion":
            guard case .int(let version) = parameters[1] else { return false }
            self.version = UInt64(bitPattern: version)
        // Nothing but overwrites ever changes in a channel's row, and these have statements of their own.
        case "channels.update": break
        default: return false
        }
        return true
    }

    private func place(of channel: SQLValue) -> Int? { channels.firstIndex { $0.id == channel.snowflake } }
}

extension SQLValue {
    /// The id that it stands for.
    var snowflake: Snowflake? {
        if case .int(let id) = self { Snowflake(UInt64(bitPattern: id)) } else { nil }
    }
}
