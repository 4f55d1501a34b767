import FluxCore

/// What a command comes to: the changes to be committed, applied and told, and what its caller is answered then.
///
/// Made by `GuildState.plan`, which changes nothing. The actor commits `GuildState.statements(for:)` of the changes, then
/// calls `GuildState.apply`, publishes the events it gives, and answers. Changes of one guild are planned one after the
/// other: the next only when the former is applied or given up.
package struct GuildPlan: Sendable, Equatable {
    /// All or nothing, in this order; empty for what only reads.
    package var changes: [GuildChange] = []
    /// What the caller is answered once the changes are durable.
    var reply: CommandReply
    /// Messages that go with a ban, once it is durable.
    var purge: MessagePurge?

    init(changes: [GuildChange] = [], reply: CommandReply, purge: MessagePurge? = nil) {
        self.changes = changes
        self.reply = reply
        self.purge = purge
    }

    /// Who becomes a member by it, or is one no more: their User actors have to learn of it.
    /// - Parameter members: the guild's members before.
    func usersConcerned(among members: [UserID]) -> [UserID] {
        changes.flatMap { change -> [UserID] in
            switch change {
            case .memberAdded(let member, _): [member.userID]
            case .memberRemoved(let userID): [userID]
            case .guildCreated(let founding): [founding.owner.userID]
            case .guildDeleted: members
            default: []
            }
        }
    }
}

/// The messages of a user from a moment up to their ban, in every channel of the guild.
struct MessagePurge: Sendable, Equatable {
    var authorID: UserID
    var since: Timestamp
    /// What is written later, by somebody who was let in again, stays.
    var until: Timestamp
}
