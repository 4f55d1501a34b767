import FluxCluster
import FluxCore
import FluxRealtime

/// Sessions that go to other nodes: what `LoopDepartures` does around `SessionDeparture`.
extension ChatNode {
    /// How long a taker's positions are waited for, in milliseconds, and how often is looked.
    private static let waiting: UInt64 = 3_000
    private static let pause = Duration.milliseconds(5)

    /// A client of the session has come to another node.
    func asked(for key: SessionKey, by userID: UserID, after sequence: UInt64, _ ticket: UInt64, from peer: NodeID) {
        guard let session = sessions[key] else {
            return refuse(ticket, departed[key].map { .movedTo($0.node) } ?? .unknown, to: peer)
        }
        let standing = SessionDeparture.Standing(
            isReady: session.phase == .ready, isClaimed: session.claim != nil, userID: session.userID,
            reachesBack: session.reaches(back: sequence, of: userID))
        switch SessionDeparture.begin(standing, by: userID, after: sequence, ticket: ticket, to: peer) {
        case .failure(let refusal): refuse(ticket, refusal, to: peer)
        case .success(let departure):
            session.clientLeft()
            session.departure = departure
            describe(session, ticket, to: peer)
        }
    }

    private func describe(_ session: ChatSession, _ ticket: UInt64, to peer: NodeID) {
        let (streams, userID) = (session.places.map(\.key), session.userID)
        world.send(from: self, to: peer) { [id] in $0.described(ticket, streams, of: userID, by: id) }
    }

    /// The taker follows the session's streams: it is frozen when it has seen what came before that.
    func take(_ key: SessionKey, _ heads: [StreamHead], _ ticket: UInt64, from peer: NodeID) {
        take(key, heads, ticket, from: peer, before: now + Self.waiting)
    }

    private func take(
        _ key: SessionKey, _ heads: [StreamHead], _ ticket: UInt64, from peer: NodeID, before end: UInt64
    ) {
        guard departing(key, ticket, to: peer) != nil, now < end else { return refuse(ticket, .notNow, to: peer) }
        guard world.bug == .frozenTooEarly || heads.allSatisfy({ relays.hasHandedOver($0.key, $0.position) }) else {
            return world.after(Self.pause, on: self) { [unowned self] in
                take(key, heads, ticket, from: peer, before: end)
            }
        }
        freeze(key, Dictionary(heads.map { ($0.key, $0.position) }) { max($0, $1) }, ticket, for: peer)
    }

    /// What was sent is the session from here on, if the taker says so in time. Here it goes on nevertheless.
    private func freeze(
        _ key: SessionKey, _ reached: [StreamKey: StreamPosition], _ ticket: UInt64, for peer: NodeID
    ) {
        guard let session = departing(key, ticket, to: peer), var departure = session.departure else {
            return refuse(ticket, .notNow, to: peer)
        }
        guard let state = session.state(after: departure.sequence, reached: reached) else {
            return refuse(ticket, .impossible, to: peer)
        }
        switch departure.freeze(session.places.map(\.key), reached: reached) {
        case .describe: describe(session, ticket, to: peer)
        case .send:
            session.departure = departure
            world.send(from: self, to: peer) { [id] in $0.frozen(ticket, state, by: id) }
        }
    }

    /// The taker has everything.
    func settle(_ key: SessionKey, _ ticket: UInt64, from peer: NodeID) {
        if let session = departing(key, ticket, to: peer), session.departure?.isFrozen == true {
            session.end(tellingClient: false)
            departed.note(key, wentTo: peer, ticket: ticket, at: now)
        }
        // Asked again, the answer is the same.
        let isYours = departed[key].map { $0.ticket == ticket && $0.node == peer } ?? false
        world.send(from: self, to: peer) { [id] in $0.settled(ticket, isYours: isYours, by: id) }
    }

    /// The session, if this move is the latest of it.
    private func departing(_ key: SessionKey, _ ticket: UInt64, to peer: NodeID) -> ChatSession? {
        guard let session = sessions[key], session.phase == .ready,
            session.departure?.isFor(ticket, peer) == true
        else { return nil }
        return session
    }

    private func refuse(_ ticket: UInt64, _ refusal: SessionMoveRefusal, to peer: NodeID) {
        world.send(from: self, to: peer) { [id] in $0.refused(ticket, refusal, by: id) }
    }

    /// Other nodes may have the sessions that wait for their clients.
    func offerSessions() {
        let peers = world.nodes.all.filter { $0 !== self && world.cluster.nodes.isReady($0.id) }.map(\.id)
        guard !peers.isEmpty else { return }
        for session in sessions.values.sorted(by: { $0.number < $1.number })
        where session.client == nil && session.phase == .ready && session.claim == nil {
            let (key, userID, sequence) = (session.key, session.userID, session.oldestHeld)
            world.send(from: self, to: world.pick(peers)) { [id] in
                $0.offered(key, of: userID, after: sequence, by: id)
            }
        }
    }
}
