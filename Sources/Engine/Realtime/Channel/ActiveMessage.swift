import FluxCore
import FluxStore

/// A message that some operation works on. It is loaded once for all of them and stays until the last one's change is
/// final, so that none of them decides from a state that another has changed meanwhile.
///
/// `@unchecked Sendable` is sound because it never leaves its channel's actor: only operations isolated to it touch it. In the
/// simulator it never leaves the channel either, whose world is made, run and dropped by one thread.
package final class ActiveMessage: @unchecked Sendable {
    /// The newest state, also what is not final yet; nil if there is no such message (any more).
    package var message: Message?
    package private(set) var isDeleted = false
    package var reactions: ReactionTable?
    /// How many operations hold it.
    package var users = 0
    var loading: Task<Message?, any Error>?
    var loadingReactions: Task<ReactionTable, any Error>?

    package init() {}

    /// The newest state will not be durable: this is what stands.
    package func restore(_ message: Message?) {
        self.message = message
        isDeleted = message == nil
        reactions = nil
    }

    /// Whether the reaction is there is not as was shown last, but as this says.
    package func restore(_ change: ReactionChange) {
        if change.isAdded {
            reactions?.add(change.emoji.key, by: change.userID)
        } else {
            reactions?.remove(change.emoji.key, by: change.userID)
        }
    }

    package func markDeleted() {
        isDeleted = true
        message = nil
        reactions = nil
    }
}
