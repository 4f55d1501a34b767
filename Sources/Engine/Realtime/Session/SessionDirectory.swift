import FluxCluster
import NIOConcurrencyHelpers

/// Which loop of the node each session lives on, or is on its way to, and where those went that have left for another node.
/// Asked only when a session begins, ends, moves or is resumed.
final class SessionDirectory: Sendable {
    private struct State {
        var loops: [SessionKey: Int] = [:]
        var departed = DepartedSessions()
    }

    private let state = NIOLockedValueBox(State())

    func set(_ key: SessionKey, loop: Int) {
        state.withLockedValue { state in
            state.loops[key] = loop
            state.departed.isBack(key)
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
            state.departed.note(key, wentTo: node, ticket: ticket, at: now)
        }
    }

    /// Where a session went that is not here any more; nil if that is not known, or not any longer.
    func departure(of key: SessionKey) -> DepartedSessions.Departed? { state.withLockedValue { $0.departed[key] } }

    /// Forgets what left before a moment.
    func forgetDepartures(before moment: UInt64) { state.withLockedValue { $0.departed.forget(before: moment) } }
}
