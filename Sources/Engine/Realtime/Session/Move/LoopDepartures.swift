import FluxCluster
import FluxCore

/// Lets sessions of one loop go to other nodes. Until the taker has it all and follows its streams, a session goes on here as one
/// that waits for its client, and whoever comes for it gets it (design 4). Confined to its loop.
final class LoopDepartures {
    /// How long a taker's positions are waited for, in milliseconds.
    private static let waiting: UInt64 = 3_000

    private unowned let loop: EngineLoop
    private var services: EngineServices { loop.services }

    init(loop: EngineLoop) { self.loop = loop }

    /// A client of the session has come to another node.
    func asked(for key: SessionKey, by userID: UserID, after sequence: UInt64, _ ticket: UInt64, from peer: NodeID) {
        guard let session = loop.sessions[key] else { return refuse(ticket, whereabouts(of: key), to: peer) }
        let standing = SessionDeparture.Standing(
            isReady: session.phase == .ready, isClaimed: session.claim != nil, userID: session.userID,
            reachesBack: session.replay(after: sequence) != nil)
        switch SessionDeparture.begin(standing, by: userID, after: sequence, ticket: ticket, to: peer) {
        case .failure(let refusal): refuse(ticket, refusal, to: peer)
        case .success(let departure):
            loop.sessions.clientLeft(session)
            session.departure = departure
            session.offeredAt = loop.now
            services.moves.send(.described(ticket: ticket, description(of: session)), to: peer)
        }
    }

    /// The taker follows the session's streams: it is frozen when it has seen what came before that.
    func take(_ key: SessionKey, _ heads: [StreamHead], _ ticket: UInt64, from peer: NodeID) {
        guard let session = departing(key, ticket, to: peer) else { return refuse(ticket, .notNow, to: peer) }
        session.offeredAt = loop.now
        loop.whenHandedOver(heads, before: loop.now + Self.waiting) { loop, isReached in
            guard isReached else { return loop.departures.refuse(ticket, .notNow, to: peer) }
            let reached = Dictionary(heads.map { ($0.key, $0.position) }) { max($0, $1) }
            loop.departures.freeze(key, reached, ticket, for: peer)
        }
    }

    /// What was sent is the session from here on, if the taker says so in time. Here it goes on nevertheless.
    private func freeze(_ key: SessionKey, _ reached: [StreamKey: StreamPosition], _ ticket: UInt64, for peer: NodeID) {
        guard let session = departing(key, ticket, to: peer), var departure = session.departure else {
            return refuse(ticket, .notNow, to: peer)
        }
        guard let missed = session.replay(after: departure.sequence) else {
            return refuse(ticket, .impossible, to: peer)
        }
        let description = description(of: session)
        switch departure.freeze(description.streams, reached: reached) {
        case .describe: services.moves.send(.described(ticket: ticket, description), to: peer)
        case .send:
            let state = session.state(after: departure.sequence, reached: reached)
            guard services.moves.send(.state(ticket: ticket, state), to: peer),
                services.moves.send(missed.map(\.event), ticket: ticket, to: peer)
            else { return }
            session.departure = departure
            // The taker has it now, and may wait for its relays before it says so: nobody else is offered it meanwhile.
            session.offeredAt = loop.now
        }
    }

    /// The taker has everything.
    func settle(_ key: SessionKey, _ ticket: UInt64, from peer: NodeID) {
        if let session = departing(key, ticket, to: peer), session.departure?.isFrozen == true {
            loop.sessions.letDepart(session, to: peer, ticket: ticket)
        }
        // Asked again, the answer is the same.
        let isYours = services.sessions.departure(of: key).map { $0.ticket == ticket && $0.node == peer } ?? false
        services.moves.send(.settled(ticket: ticket, isYours: isYours), to: peer)
    }

    /// The session, if this move is the latest of it.
    private func departing(_ key: SessionKey, _ ticket: UInt64, to peer: NodeID) -> Session? {
        guard let session = loop.sessions[key], session.phase == .ready,
            session.departure?.isFor(ticket, peer) == true
        else { return nil }
        return session
    }

    private func description(of session: Session) -> SessionDescription {
        SessionDescription(
            identity: session.identity, request: session.request,
            streams: session.places.filter { $0.position != nil }.map(\.key))
    }

    private func whereabouts(of key: SessionKey) -> SessionMoveRefusal {
        if services.sessions.loop(of: key) != nil { return .notNow }
        return services.sessions.departure(of: key).map { .movedTo($0.node) } ?? .unknown
    }

    private func refuse(_ ticket: UInt64, _ refusal: SessionMoveRefusal, to peer: NodeID) {
        services.moves.send(.refused(ticket: ticket, refusal), to: peer)
    }
}
