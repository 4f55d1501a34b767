import FluxCore
import FluxRealtime

/// What is asked of a guild: to take something from a member, or to give it back.
struct AccessRequest {
    enum Kind {
        /// The member may not view the channel any more.
        case hide(ChannelID)
        /// The member may view the channel again.
        case show(ChannelID)
        /// The member is kicked.
        case remove
        /// Somebody comes in by the guild's invite.
        case admit
    }

    let kind: Kind
    let guild: ChatGuild
    let userID: UserID

    /// The channels that are taken or given.
    var channels: [ChannelID] {
        switch kind {
        case .hide(let channel), .show(let channel): [channel]
        case .remove, .admit: guild.channels
        }
    }

    var isTaking: Bool {
        switch kind {
        case .hide, .remove: true
        case .show, .admit: false
        }
    }

    /// The same as production knows it.
    var command: GuildCommand {
        switch kind {
        case .hide(let channel):
            let overwrite: JSON = [
                "type": 1, "allow": "0", "deny": .string(String(Permissions.viewChannel.rawValue)),
            ]
            return command(.setOverwrite(channel, target: userID), overwrite)
        case .show(let channel): return command(.deleteOverwrite(channel, target: userID))
        case .remove: return command(.kick(userID))
        case .admit:
            return GuildCommand(
                caller: Caller(userID: userID, isBot: false), operation: .acceptInvite(code: guild.inviteCode))
        }
    }

    private func command(_ operation: GuildOperation, _ body: JSON = .null) -> GuildCommand {
        GuildCommand(caller: Caller(userID: ChatGuild.ownerID, isBot: false), operation: operation, body: body)
    }
}
