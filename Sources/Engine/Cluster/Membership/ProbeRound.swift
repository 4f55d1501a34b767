import FluxCore

/// Whose turn it is to be probed: everybody once, in an order that is shuffled anew for each round (SWIM 4.3: bounds the
/// time until a dead member is probed, which choosing at random does not).
///
/// A departure: members for whom there is a reason (a link broke, somebody suspects them) come first, once.
struct ProbeRound: Sendable {
    private var waiting: [NodeID] = []
    private var urgent: [NodeID] = []

    /// The member comes next.
    mutating func prefer(_ node: NodeID) {
        guard !urgent.contains(node) else { return }
        urgent.append(node)
    }

    /// The next of the candidates; nil without any.
    mutating func next(of candidates: [NodeID], using random: inout SplitMix64) -> NodeID? {
        while let node = urgent.first {
            urgent.removeFirst()
            if candidates.contains(node) {
                waiting.removeAll { $0 == node }
                return node
            }
        }
        for _ in 0..<2 {
            while let node = waiting.popLast() {
                if candidates.contains(node) { return node }
            }
            waiting = candidates.shuffled(using: &random)
        }
        return nil
    }
}
