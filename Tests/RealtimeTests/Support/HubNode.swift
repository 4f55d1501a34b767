import FluxCluster
import Testing

@testable import FluxRealtime

/// A hub whose frames, calls and loops are lists.
final class HubNode {
    private var work: [() -> Void] = []
    var frames: [[RelayHub.Entry]] = []
    private(set) var registrations: [UInt64] = []
    private(set) var ended: [UInt64] = []
    private(set) var shown: [StreamPosition] = []
    private(set) var hub: RelayHub!

    init(_ id: NodeID, isHome: Bool) {
        hub = RelayHub(
            loopCount: 1, node: id,
            ways: RelayHub.Ways(
                atEndOfTurn: { [unowned self] in work.append($0) },
                handOver: { [unowned self] _, events in shown += events.map(\.event.position) },
                breakOff: { _, _ in Issue.record("the stream breaks") },
                succeed: { _, _, _ in },
                whenWritten: { _, completion in completion() },
                send: { [unowned self] _, events in
                    frames.append(events)
                    return true
                },
                register: { [unowned self] _, relay in registrations.append(relay.registration) },
                unregister: { [unowned self] _, _, registration in ended.append(registration) },
                sendAway: { _, _ in },
                isHome: { _ in isHome }))
    }

    func endTurn() {
        while !work.isEmpty { work.removeFirst()() }
    }
}
