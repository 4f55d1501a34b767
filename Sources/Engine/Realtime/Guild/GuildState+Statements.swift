import FluxCore
import FluxStore

/// What is written to make changes durable.
extension GuildState {
    /// The writes of the changes of one plan, which go into one transaction. Asked before they are applied.
    package func statements(for changes: [GuildChange]) -> [Statement] {
        changes.flatMap { statements(for: $0) }
    }

    private func statements(for change: GuildChange) -> [Statement] {
        switch change {
        case .guildCreated(let founding): founding.statements
        case .guildUpdated(let guild): [.updateGuild(guild)]
        case .guildDeleted: [.deleteGuild(guild.id)]

        case .channelCreated(let channel): Self.insertion(of: channel, guild.id)
        case .channelUpdated(let channel): [.updateChannel(channel)] + overwriteStatements(for: channel)
        case .channelDeleted(let id): [.deleteChannel(id, guildID: guild.id)]

        case .roleCreated(let role): [.insertRole(role)]
        case .roleUpdated(let role): [.updateRole(role)]
        case .rolesMoved(let positions): [.updateRolePositions(positions, guildID: guild.id)]
        case .roleDeleted(let id): [.deleteRole(id, guildID: guild.id)]

        case .memberAdded(let member, _): [.insertMember(member)]
        case .memberUpdated(let member): [.updateMember(member)]
        case .memberRemoved(let userID): [.deleteMember(userID, guildID: guild.id)]
        case .userChanged: []

        case .banAdded(let ban, _, let moderator): [.insertBan(ban, by: moderator)]
        case .banRemoved(let userID, _): [.deleteBan(userID, guildID: guild.id)]

        case .inviteCreated(let invite): [.insertInvite(invite)]
        case .inviteUsed(let code): [.useInvite(code)]
        case .inviteDeleted(let code): [.deleteInvite(code)]
        }
    }

    /// Only the overwrites that differ from what is stored.
    private func overwriteStatements(for channel: Channel) -> [Statement] {
        let old = channels[channel.id]?.overwrites ?? []
        let kept = Set(channel.overwrites.map(\.id))
        let gone = old.filter { !kept.contains($0.id) }
        let put = channel.overwrites.filter { !old.contains($0) }
        return gone.map { .deleteOverwrite($0.id, channelID: channel.id, guildID: guild.id) }
            + put.map { .putOverwrite($0, channelID: channel.id, guildID: guild.id) }
    }

    fileprivate static func insertion(of channel: Channel, _ guildID: GuildID) -> [Statement] {
        [.insertChannel(channel)]
            + channel.overwrites.map { .putOverwrite($0, channelID: channel.id, guildID: guildID) }
    }
}

extension GuildFounding {
    /// The writes that make the guild durable.
    var statements: [Statement] {
        [.insertGuild(guild), .insertRole(everyone)]
            + channels.flatMap { GuildState.insertion(of: $0, guild.id) } + [.insertMember(owner)]
    }
}
