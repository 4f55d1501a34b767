import FluxCore

/// A message that some operation works on. It is loaded once for all of them and stays until the last one's change is
/// final, so that none of them decides from a state that another has changed meanwhile.
///
/// `@unchecked Sendable` is sound because it never leaves its channel's actor: only operations isolated to it touch it.
final class ActiveMessage: @unchecked Sendable {
    /// The newest state, also what is not final yet; nil if there is no such message (any more).
    var message: Message?
    private(set) var isDeleted = false
    var reactions: ReactionTable?
    /// How many operations hold it.
    var users = 0
    var loading: Task<Message?, any Error>?
    var loadingReactions: Task<ReactionTable, any Error>?

    /// The newest state will not be durable: this is what stands.
    func restore(_ message: Message?) {
        self.message = message
        isDeleted = message == nil
        reactions = nil
    }

    func markDeleted() {
        isDeleted = true
        message = nil
        reactions = nil
    }
}
