import Collections
import FluxCluster
import NIOConcurrencyHelpers

/// Which loop of the node each session lives on, or is on its way to, and where those went that have left for another node.
/// Asked only when a session begins, ends, moves or is resumed.
final class SessionDirectory: Sendable {
    /// How many departed sessions are remembered; beyond, the oldest are forgotten, and then their User actors know.
    static let maximumDeparted = 65_536

    /// Where a session went.
    struct Departed {
        var node: NodeID
        /// Names the move.
        var ticket: UInt64
    }

    private struct State {
        var loops: [SessionKey: Int] = [:]
        var departed: [SessionKey: Departed] = [:]
        /// By the time of their leaving; an entry whose ticket is not the remembered one means nothing.
        var order: Deque<(key: SessionKey, ticket: UInt64, since: UInt64)> = []

        mutating func forgetOldest() {
            let oldest = order.removeFirst()
            if departed[oldest.key]?.ticket == oldest.ticket { departed[oldest.key] = nil }
        }
    }

    private let state = NIOLockedValueBox(State())

    func set(_ key: SessionKey, loop: Int) {
        state.withLockedValue { state in
            state.loops[key] = loop
            state.departed[key] = nil
        }
    }

    func remove(_ key: SessionKey) { state.withLockedValue { $0.loops[key] = nil } }

    /// As above, if it is on this loop.
    func remove(_ key: SessionKey, from loop: Int) {
        state.withLockedValue { if $0.loops[key] == loop { $0.loops[key] = nil } }
    }

    func loop(of key: SessionKey) -> Int? { state.withLockedValue { $0.loops[key] } }
    var count: Int { state.withLockedValue { $0.loops.count } }

    /// A session has left for another node.
    func departed(_ key: SessionKey, to node: NodeID, ticket: UInt64, at now: UInt64) {
        state.withLockedValue { state in
            state.loops[key] = nil
            state.departed[key] = Departed(node: node, ticket: ticket)
            state.order.append((key, ticket, now))
            while state.order.count > Self.maximumDeparted { state.forgetOldest() }
        }
    }

    /// Where a session went that is not here any more; nil if that is not known, or not any longer.
    func departure(of key: SessionKey) -> Departed? { state.withLockedValue { $0.departed[key] } }

    /// Forgets what left before a moment.
    func forgetDepartures(before moment: UInt64) {
        state.withLockedValue { state in
            while let first = state.order.first, first.since < moment { state.forgetOldest() }
        }
    }
}
