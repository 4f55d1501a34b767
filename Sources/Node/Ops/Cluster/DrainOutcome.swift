import FluxStore

/// What a drain has come to. That the node's part in the cluster has ended it is not enough: it also ends where nobody is
/// left who could take the slots, and who stops the machine then takes the slots with it.
struct DrainOutcome {
    /// Another member.
    struct Other {
        /// Whether the node holds it to live.
        var isReached: Bool
        /// What it last said of itself in Postgres.
        var state: NodeState
    }

    /// Whether the node's part in the cluster has nothing more to do for it.
    var isDone: Bool
    /// How many slots the node owns.
    var slots: Int
    /// Whether the node reaches at most half of the cluster.
    var isInMinority: Bool
    /// All other members.
    var others: [Other]

    /// Why the node is not drained; nil when it is. The only node of a cluster is, with all its slots.
    var failure: CommandFailure? {
        if isDone, slots == 0 || others.isEmpty { return nil }
        let present = others.filter { $0.state != .left }
        if isInMinority {
            return CommandFailure(
                .noQuorum, "the node reaches at most half of the cluster, so nobody can take its \(slots) slots")
        }
        if !present.isEmpty, !present.contains(where: \.isReached) {
            return CommandFailure(
                .noQuorum, "the node reaches none of the other nodes, so nobody can take its \(slots) slots")
        }
        if !others.isEmpty, !present.contains(where: { $0.isReached && $0.state == .active }) {
            return CommandFailure(
                .failure, "every other node has left or drains as well, so nobody takes the node's \(slots) slots")
        }
        return CommandFailure(
            .failure,
            "the node still gives slots away and has \(slots); ask again (`flux node status` counts them)")
    }
}
