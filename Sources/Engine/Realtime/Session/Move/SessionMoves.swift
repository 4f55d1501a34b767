import FluxCluster
import FluxCore
import Logging
import NIOConcurrencyHelpers

/// Carries what nodes say of sessions that move to the loops that it is for. Safe from every thread; what it comes to is decided in
/// `LoopArrivals` and `LoopDepartures`.
final class SessionMoves: Sendable {
    /// What the frames carry. A number never changes its meaning.
    enum Frame {
        static let move: ClusterEvent = 20
    }

    /// Bytes of dispatches after which a frame is closed and another one begun.
    static let frameBytes = 512 << 10

    private let system: ClusterActorSystem
    private let mesh: LoopMesh
    private let sessions: SessionDirectory
    private let logger: Logger
    /// What waits until others have read all that was said to them.
    private let hearings = NIOLockedValueBox(PendingConfirmations<Void>())

    init(system: ClusterActorSystem, mesh: LoopMesh, sessions: SessionDirectory, logger: Logger) {
        self.system = system
        self.mesh = mesh
        self.sessions = sessions
        self.logger = logger
    }

    /// Begins to take in frames. Before the system starts.
    func register() {
        system.register(event: Frame.move) { [self] peer, reader in receive(from: peer, &reader) }
        system.registerLinkObserver { [self] peer in
            // What was said to it and not read is lost.
            stopWaiting(for: peer)
            for loop in 0..<mesh.count { mesh.run(on: loop) { $0.arrivals.linkLost(to: peer) } }
        }
    }

    /// - Returns: false if it could not be sent.
    @discardableResult
    func send(_ message: SessionMoveMessage, to peer: NodeID) -> Bool {
        system.send(event: Frame.move, to: peer) { $0.value(message) }
    }

    /// Sends the dispatches of a ring, in frames of bounded size. - Returns: false if some could not be sent.
    func send(_ dispatches: [StreamEvent], ticket: UInt64, to peer: NodeID) -> Bool {
        var rest = dispatches[...]
        while !rest.isEmpty {
            var bytes = 0
            let end =
                rest.firstIndex { event in
                    bytes += event.cost
                    return bytes > Self.frameBytes
                } ?? rest.endIndex
            let part = rest[..<max(end, rest.startIndex + 1)]
            guard send(.dispatches(ticket: ticket, part.map(MovedDispatch.init)), to: peer) else { return false }
            rest = rest[part.endIndex...]
        }
        return true
    }

    /// Returns when these nodes have read all that was said to them, or are not reached any more; or after a time.
    func awaitHearing(by nodes: Set<NodeID>, atMost limit: Duration) async {
        guard !nodes.isEmpty else { return }
        let (heard, end) = AsyncStream<Never>.makeStream()
        let ticket = hearings.withLockedValue { $0.begin((), peers: nodes) { end.finish() } }
        for node in nodes where !send(.confirm(ticket: ticket), to: node) { stopWaiting(for: node) }
        let patience = Task {
            try? await Task.sleep(for: limit)
            end.finish()
        }
        for await _ in heard {}
        patience.cancel()
        hearings.withLockedValue { $0.abandon(ticket) }
    }

    private func stopWaiting(for peer: NodeID) {
        for complete in hearings.withLockedValue({ $0.release { $0 == peer } }) { complete() }
    }

    /// Brings an answer to the node where its session has gone.
    func forward(_ answer: SendAnswer, of key: SessionKey, ticket: UInt64, to peer: NodeID) {
        send(.answer(ticket: ticket, key: key, answer), to: peer)
    }

    /// A ticket whose answers come to this loop.
    static func ticket(onLoop index: Int) -> UInt64 { UInt64.random(in: 0...UInt64.max) << 8 | UInt64(index & 0xFF) }

    // MARK: Receiving

    private func receive(from peer: NodeID, _ reader: inout WireReader) {
        let message: SessionMoveMessage
        do throws(WireError) { message = try reader.value() } catch {
            logger.error("what node \(peer) says of a session that moves cannot be read: \(error)")
            return
        }
        switch message {
        case .ask(let ticket, let key, let userID, let sequence):
            atHolder(of: key) { $0.departures.asked(for: key, by: userID, after: sequence, ticket, from: peer) }
        case .take(let ticket, let key, let heads):
            atHolder(of: key) { $0.departures.take(key, heads, ticket, from: peer) }
        case .settle(let ticket, let key):
            atHolder(of: key) { $0.departures.settle(key, ticket, from: peer) }
        case .offer(let ticket, let key, let userID, let sequence):
            atTaker(ticket % UInt64(mesh.count)) { $0.arrivals.offered(key, of: userID, after: sequence, by: peer) }
        case .refused(let ticket, let refusal):
            atTaker(ticket) { $0.arrivals.refused(ticket, refusal, by: peer) }
        case .described(let ticket, let description):
            atTaker(ticket) { $0.arrivals.described(ticket, description, by: peer) }
        case .state(let ticket, let state):
            atTaker(ticket) { $0.arrivals.frozen(ticket, state, by: peer) }
        case .dispatches(let ticket, let dispatches):
            atTaker(ticket) { $0.arrivals.received(ticket, dispatches.map(\.event), by: peer) }
        case .settled(let ticket, let isYours):
            atTaker(ticket) { $0.arrivals.settled(ticket, isYours: isYours, by: peer) }
        case .answer(let ticket, let key, let answer):
            atTaker(ticket) { loop in
                loop.sends.answered(answer.body, ticket: answer.send, channel: answer.channelID, session: key)
            }
        // What came before has been passed to its loops.
        case .confirm(let ticket): send(.heard(ticket: ticket), to: peer)
        case .heard(let ticket): hearings.withLockedValue { $0.confirmed(ticket, by: peer) }?()
        }
    }

    /// On the loop of a session; on any if it is not here.
    private func atHolder(of key: SessionKey, _ body: @escaping @Sendable (EngineLoop) -> Void) {
        let home = sessions.loop(of: key) ?? 0
        mesh.run(on: home) { [sessions] loop in
            guard loop.sessions[key] == nil, sessions.loop(of: key) == home else { return body(loop) }
            // On its way from another loop.
            loop.sessions.onArrival(of: key) { _ in body(loop) }
        }
    }

    private func atTaker(_ ticket: UInt64, _ body: @escaping @Sendable (EngineLoop) -> Void) {
        let index = Int(ticket & 0xFF)
        guard index < mesh.count else { return }
        mesh.run(on: index, body)
    }
}
