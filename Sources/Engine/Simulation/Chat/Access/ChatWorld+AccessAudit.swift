import FluxCore
import FluxRealtime

extension ChatWorld {
    /// Each client shows the channels that it may view by what is stored, and no others.
    func auditAccess() {
        for guild in guilds {
            guard let stored = messages.loadGuild(guild.id) else { continue }
            var state = GuildState(stored.guild, invites: stored.invites, bans: [])
            for client in clients {
                let visibility = state.visibility(of: client.userID)
                for channel in guild.channels {
                    let mayView = visibility?.contains(channel) ?? false
                    guard mayView != (client.views[channel] != nil) else { continue }
                    let text =
                        mayView
                        ? "I6: client \(client.number) does not show" : "I7: client \(client.number) still shows"
                    auditor.violate(now, "\(text) channel \(channel)")
                }
            }
        }
    }
}
