import FluxCluster
import FluxCore

/// How many sessions of each member listen to a guild, on which node. A value.
///
/// Only of members who listen, or have listened, changes of access are told (design 7). To know one too many does no harm; none is
/// ever missed: the end of a session that an earlier owner had counted takes nobody away, and a relay begins anew if listeners
/// of its own were not known when such a change was told (`knew`).
package struct GuildWatchers {
    private var counts: [NodeID: [UserID: Int]] = [:]
    /// Where the guild's stream stood when each member was first counted. No more than the guild has members.
    private var firstCounted: [UserID: StreamPosition] = [:]

    package init() {}

    /// Whether the member listens, or has listened.
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
    }

    /// A node says who listens there, each session once. - Parameter position: where the guild's stream stands.
    package mutating func replace(_ users: [UserID], on node: NodeID, at position: StreamPosition) {
        let all = users.reduce(into: [UserID: Int]()) { $0[$1, default: 0] += 1 }
        counts[node] = all.isEmpty ? nil : all
        for userID in all.keys where firstCounted[userID] == nil { firstCounted[userID] = position }
    }

    /// Somebody is no member any more.
    package mutating func forget(_ userID: UserID) {
        for node in counts.keys {
            counts[node]?[userID] = nil
            if counts[node]?.isEmpty == true { counts[node] = nil }
        }
        firstCounted[userID] = nil
    }
}
