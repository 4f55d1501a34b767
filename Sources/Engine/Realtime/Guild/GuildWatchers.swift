import FluxCluster
import FluxCore

/// How many sessions of each member listen to a guild, on which node. A value.
///
/// Only changes of their access are told (design 7). To count one session too many does no harm; none is ever missed: a relay
/// begins anew if listeners of its own were not counted when such a change was told (`knew`).
package struct GuildWatchers {
    private var counts: [NodeID: [UserID: Int]] = [:]
    /// Where the guild's stream stood when each of them was first counted.
    private var firstCounted: [UserID: StreamPosition] = [:]

    package init() {}

    var isEmpty: Bool { counts.isEmpty }

    package func contains(_ userID: UserID) -> Bool { firstCounted[userID] != nil }

    /// Whether all of these members were counted when each of the events was given out, so that changes of access among them
    /// name whom they concern.
    package func knew(_ users: [UserID], at events: [StreamEvent]) -> Bool {
        events.allSatisfy { event in
            guard case .access? = event.control else { return true }
            return users.allSatisfy { firstCounted[$0].map { $0 < event.position } ?? false }
        }
    }

    /// - Parameter position: where the guild's stream stands.
    package mutating func begin(_ userID: UserID, on node: NodeID, at position: StreamPosition) {
        counts[node, default: [:]][userID, default: 0] += 1
        if firstCounted[userID] == nil { firstCounted[userID] = position }
    }

    package mutating func end(_ userID: UserID, on node: NodeID) {
        guard let count = counts[node]?[userID] else { return }
        counts[node]?[userID] = count > 1 ? count - 1 : nil
        if counts[node]?.isEmpty == true { counts[node] = nil }
        if count == 1 { forgetUncounted(userID) }
    }

    /// A node says who listens there, each session once. - Parameter position: where the guild's stream stands.
    package mutating func replace(_ users: [UserID], on node: NodeID, at position: StreamPosition) {
        let former = counts[node] ?? [:]
        let all = users.reduce(into: [UserID: Int]()) { $0[$1, default: 0] += 1 }
        counts[node] = all.isEmpty ? nil : all
        for userID in all.keys where firstCounted[userID] == nil { firstCounted[userID] = position }
        for userID in former.keys where all[userID] == nil { forgetUncounted(userID) }
    }

    package mutating func forget(_ userID: UserID) {
        for node in counts.keys {
            counts[node]?[userID] = nil
            if counts[node]?.isEmpty == true { counts[node] = nil }
        }
        firstCounted[userID] = nil
    }

    private mutating func forgetUncounted(_ userID: UserID) {
        if !counts.values.contains(where: { $0[userID] != nil }) { firstCounted[userID] = nil }
    }
}
