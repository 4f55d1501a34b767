import FluxCore

/// Whether members are there. Nothing of this is stored.
extension GuildState {
    /// A member's presence changed.
    /// - Returns: the event; nil for those who are no members, and where nothing is new to others.
    mutating func apply(_ presence: Presence) -> GuildEvent? {
        guard isMember(presence.userID) else { return nil }
        let old = presences[presence.userID] ?? .offline(presence.userID)
        setPresence(presence)
        let new = presences[presence.userID] ?? .offline(presence.userID)
        guard old != new else { return nil }
        return GuildEvent(.presenceUpdate) { new.write(to: &$0, guildID: guild.id) }
    }
}
