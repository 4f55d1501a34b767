import FluxCluster
import FluxCore

/// The relays of the streams whose slot is pinned to one loop. Takes in what the owner emits and passes it to the
/// loops that have subscribers: what gathers in one turn crosses to a loop in one batch. Confined to its loop.
final class RelayHub {
    /// How long a relay without subscribers is kept, in milliseconds: long enough for a session that moves.
    static let idleMilliseconds: UInt64 = 60_000

    private struct Batch {
        var events: [(key: StreamKey, event: StreamEvent)] = []
    }

    private let loopIndex: Int
    private let mesh: LoopMesh
    /// Reaches another loop's registry; runs there.
    private let handOver: @Sendable (_ loop: Int, _ events: [(key: StreamKey, event: StreamEvent)]) -> Void
    private var relays: [StreamKey: Relay] = [:]
    private var batches: [Batch]
    private var flushIsDue = false
    /// Batches handed to loops; one message is at most one batch per loop.
    private(set) var batchesHandedOver: UInt64 = 0

    init(
        loopIndex: Int, mesh: LoopMesh,
        handOver: @escaping @Sendable (_ loop: Int, _ events: [(key: StreamKey, event: StreamEvent)]) -> Void
    ) {
        self.loopIndex = loopIndex
        self.mesh = mesh
        self.handOver = handOver
        batches = Array(repeating: Batch(), count: mesh.count)
    }

    /// A loop has its first subscriber of the stream. - Parameter position: the owner's, if the relay is new.
    func subscribe(loop: Int, to key: StreamKey, at now: UInt64, position: @autoclosure () -> StreamPosition) {
        var relay = relays.removeValue(forKey: key) ?? Relay(position: position(), at: now)
        relay.subscribe(loop: loop)
        relays[key] = relay
    }

    /// A loop's last subscriber has left.
    func unsubscribe(loop: Int, from key: StreamKey, at now: UInt64) {
        relays[key]?.unsubscribe(loop: loop, at: now)
    }

    /// What the relay holds after `position`, for a session that moved; nil if it does not reach back so far.
    func events(of key: StreamKey, after position: StreamPosition) -> ArraySlice<StreamEvent>? {
        relays[key]?.ring.events(after: position)
    }

    /// Where the relay of the stream stands; nil if there is none.
    func position(of key: StreamKey) -> StreamPosition? { relays[key]?.position }

    /// The stream's owner was activated on this loop.
    func streamBegan(_ key: StreamKey, at position: StreamPosition) { relays[key]?.streamBegan(at: position) }

    /// Whether anybody on this node listens to the stream.
    func hasSubscribers(_ key: StreamKey) -> Bool { (relays[key]?.loops ?? 0) != 0 }

    /// Takes in an event from the stream's owner.
    /// - Returns: false if events before it are missing, so that the relay has to be registered again.
    func publish(_ event: StreamEvent, of key: StreamKey) -> Bool {
        guard let index = relays.index(forKey: key) else { return true }
        switch relays.values[index].receive(event) {
        case .duplicate: return true
        case .gap: return false
        case .deliver(let loops):
            for loop in 0..<mesh.count where loops & (1 << UInt64(loop)) != 0 {
                batches[loop].events.append((key, event))
            }
            if loops != 0 { scheduleFlush() }
            return true
        }
    }

    /// Calls `completion` on this loop when every subscribed loop has applied all that was published before (I7).
    func confirm(_ key: StreamKey, completion: @escaping @Sendable () -> Void) {
        flush()
        let loops = relays[key]?.loops ?? 0
        let remaining = LoopConfined(loops.nonzeroBitCount)
        guard loops != 0 else { return completion() }
        let home = loopIndex
        let mesh = mesh
        for loop in 0..<mesh.count where loops & (1 << UInt64(loop)) != 0 {
            mesh.post(to: loop) {
                // What the loop got before has been written by the time that its turn ends.
                mesh.atEndOfTurn {
                    mesh.post(to: home) {
                        remaining.value -= 1
                        if remaining.value == 0 { completion() }
                    }
                }
            }
        }
    }

    /// Forgets relays that nobody has listened to for a minute.
    func sweep(at now: UInt64) {
        relays = relays.filter { entry in
            entry.value.idleSince.map { now < $0 + Self.idleMilliseconds } ?? true
        }
    }

    /// Gives back half of what is held for sessions that move; one that needs it has to begin anew.
    func shed() {
        for index in relays.values.indices { relays.values[index].shed() }
    }

    private func scheduleFlush() {
        guard !flushIsDue else { return }
        flushIsDue = true
        // Before what is posted to other loops leaves, so that all of it crosses in one hop, and before sockets write.
        mesh.atEndOfTurn(.relay) { [unowned self] in self.flush() }
    }

    private func flush() {
        flushIsDue = false
        for loop in batches.indices where !batches[loop].events.isEmpty {
            let events = batches[loop].events
            batches[loop].events = []
            batchesHandedOver += 1
            handOver(loop, events)
        }
    }
}
