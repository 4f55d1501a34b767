/// What a client shows of one channel: of each message, by its place in the ledger, the decision that its text comes from.
struct ShownMessages {
    private var decisions: [Int?] = []

    subscript(place: Int) -> Int? { place < decisions.count ? decisions[place] : nil }

    /// Shows the message as of this decision, or no longer; what it was shown as before.
    mutating func show(_ place: Int, as decision: Int?) -> Int? {
        while decisions.count <= place { decisions.append(nil) }
        let before = decisions[place]
        decisions[place] = decision
        return before
    }
}
