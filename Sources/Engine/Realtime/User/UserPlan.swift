import FluxCore
import FluxStore

/// What a command, or the other side's word, comes to: made by planning, which changes nothing.
///
/// The actor commits `UserState.writes(for:)` of the changes in one mutation, then calls `UserState.apply`, publishes the
/// events that it gives, hints the targets of `notices`, and answers. The next plan is made only when the former one is
/// applied or given up.
package struct UserPlan: Sendable, Equatable {
    /// All or nothing, in this order; empty for what only reads.
    package var changes: [UserChange] = []
    var reply: CommandReply = .nothing

    /// Whether it takes back how far the user let others know.
    var withdrawsReceipts: Bool {
        changes.contains { change in
            if case .receiptsWithdrawn = change { true } else { false }
        }
    }

    /// Entries that wait in the outbox once the changes are durable; telling their targets at once only saves time.
    package var notices: [OutboxEntry] {
        changes.compactMap { change in
            if case .noticeSent(let entry) = change { entry } else { nil }
        }
    }
}
