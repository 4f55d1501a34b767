import FluxCluster
import FluxCore
import NIOConcurrencyHelpers

/// What happened to the actors of a test, and the levers that hold them up.
final class Journal: Sendable {
    enum Entry: Equatable {
        case activating(ActorAddress, Epoch)
        case deactivated(ActorAddress, DeactivationReason)
        case kept(ActorAddress)
        case hanging(ActorAddress)
    }

    private struct State {
        var entries: [Entry] = []
        var isBusy = false
        var isHeld = false
        var failuresLeft = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = NIOLockedValueBox(State())

    var entries: [Entry] { state.withLockedValue { $0.entries } }

    /// Actors refuse to passivate while this is set.
    var isBusy: Bool {
        get { state.withLockedValue { $0.isBusy } }
        set { state.withLockedValue { $0.isBusy = newValue } }
    }

    var activations: Int {
        entries.count { if case .activating = $0 { true } else { false } }
    }

    func record(_ entry: Entry) {
        state.withLockedValue { $0.entries.append(entry) }
    }

    /// Holds up activations and hanging calls until `release`.
    func hold() {
        state.withLockedValue { $0.isHeld = true }
    }

    func release() {
        let waiting = state.withLockedValue { state in
            defer { state.waiting = [] }
            state.isHeld = false
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func untilReleased() async {
        await withCheckedContinuation { continuation in
            let isHeld = state.withLockedValue { state in
                if state.isHeld { state.waiting.append(continuation) }
                return state.isHeld
            }
            if !isHeld { continuation.resume() }
        }
    }

    /// The next activations fail.
    func failActivations(_ count: Int) {
        state.withLockedValue { $0.failuresLeft = count }
    }

    func throwIfFailing() throws {
        let fails = state.withLockedValue { state in
            guard state.failuresLeft > 0 else { return false }
            state.failuresLeft -= 1
            return true
        }
        if fails { throw Refusal(reason: "no such counter") }
    }
}
