import FluxCluster
import FluxCore

/// How many sessions of each member listen to a guild, on which node. A value.
///
/// Only changes of their access are told (design 7). To count one session too many does no harm; none is ever missed.
package struct GuildWatchers {
    private var counts: [NodeID: [UserID: Int]] = [:]

    package init() {}

    var isEmpty: Bool { counts.isEmpty }

    package func contains(_ userID: UserID) -> Bool { counts.values.contains { $0[userID] != nil } }

    package mutating func begin(_ userID: UserID, on node: NodeID) {
        counts[node, default: [:]][userID, default: 0] += 1
    }

    package mutating func end(_ userID: UserID, on node: NodeID) {
        guard let count = counts[node]?[userID] else { return }
        counts[node]?[userID] = count > 1 ? count - 1 : nil
        if counts[node]?.isEmpty == true { counts[node] = nil }
    }

    /// A node says who listens there.
    /// - Returns: whether all of them were counted already: what was told until now was told to each of them.
    package mutating func replace(_ users: [UserID], on node: NodeID) -> Bool {
        let all = users.reduce(into: [UserID: Int]()) { $0[$1, default: 0] += 1 }
        let former = counts[node] ?? [:]
        counts[node] = all.isEmpty ? nil : all
        return all.keys.allSatisfy { former[$0] != nil }
    }

    package mutating func forget(_ userID: UserID) {
        for node in counts.keys {
            counts[node]?[userID] = nil
            if counts[node]?.isEmpty == true { counts[node] = nil }
        }
    }

    mutating func forget(_ node: NodeID) { counts[node] = nil }
}
