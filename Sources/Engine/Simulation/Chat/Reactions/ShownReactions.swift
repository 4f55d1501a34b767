import FluxStore

/// The reactions that a client shows in one channel: of each the decision that gave it or took it back.
struct ShownReactions {
    private(set) var decisions: [ReactionFold.Key: Int] = [:]

    /// Shows the reaction as of this decision, or as one of which nothing was ever heard; what it was shown as before.
    mutating func show(_ key: ReactionFold.Key, as decision: Int?) -> Int? {
        let before = decisions[key]
        decisions[key] = decision
        return before
    }
}
