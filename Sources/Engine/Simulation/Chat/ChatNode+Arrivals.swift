import FluxCluster
import FluxCore
import FluxRealtime

/// Sessions that come from other nodes: what `LoopArrivals` does around `SessionArrival` and `SessionClaim`.
extension ChatNode {
    /// A client that waits for its session, over one of its connections.
    struct ArrivingClient {
        let client: ChatClient
        let connection: Int
        /// The last dispatch that it has.
        let sequence: UInt64

        /// - Parameter resumable: whether it may try again.
        func refuse(resumable: Bool) { client.hear(connection) { $0.refused(resumable: resumable) } }
    }

    /// A session on its way.
    struct Arriving {
        var way: SessionArrival
        let client: ArrivingClient?
        /// What it will be here; gathers what comes until the holder has sent it.
        var session: ChatSession?
        var state: FrozenSession?
    }

    /// A session that is here, while its former holder has not said that it has let go.
    struct Claimed {
        let session: ChatSession
        var client: ArrivingClient?
    }

    /// How long an owner is waited for that cannot be asked now, before it is asked again.
    private static let pause = Duration.milliseconds(100)
    /// How soon is looked again whether relays have come to where a session was.
    private static let relayPause = Duration.milliseconds(5)

    /// A client wants to take up its session.
    func resume(_ key: SessionKey, for client: ArrivingClient) {
        guard client.client.isOn(client.connection) else { return }
        guard let session = sessions[key] else {
            return bring(key, of: client.client.userID, after: client.sequence, for: client)
        }
        guard session.phase == .ready, session.reaches(back: client.sequence, of: client.client.userID) else {
            return client.refuse(resumable: false)
        }
        guard session.claim == nil else { return wait(client, for: session) }
        session.resume(client.client, connection: client.connection, after: client.sequence)
    }

    /// A node that does not serve any more offers a session whose client is away.
    func offered(_ key: SessionKey, of userID: UserID, after sequence: UInt64, by peer: NodeID) {
        guard world.cluster.nodes.isReady(id), sessions[key] == nil else { return }
        begin(key, of: userID, after: sequence, at: peer, for: nil)
    }

    private func bring(_ key: SessionKey, of userID: UserID, after sequence: UInt64, for client: ArrivingClient) {
        let holder = departed[key]?.node ?? NodeID(rawValue: key.nodeID)
        begin(key, of: userID, after: sequence, at: holder, for: client)
    }

    private func begin(
        _ key: SessionKey, of userID: UserID, after sequence: UInt64, at holder: NodeID?, for client: ArrivingClient?
    ) {
        lastTicket += 1
        let ticket = UInt64(id.rawValue) << 48 | lastTicket
        var way = SessionArrival(key, of: userID, after: sequence, to: id, ticket: ticket, at: now)
        let first = way.begin(at: holder)
        arrivals[ticket] = Arriving(way: way, client: client)
        perform(first, ticket)
    }

    private func advance(_ ticket: UInt64, _ body: (inout SessionArrival) -> SessionArrival.Action?) {
        guard var way = arrivals[ticket]?.way else { return }
        let action = body(&way)
        arrivals[ticket]?.way = way
        if let action { perform(action, ticket) }
    }

    private func perform(_ action: SessionArrival.Action, _ ticket: UInt64) {
        guard let arriving = arrivals[ticket] else { return }
        let way = arriving.way
        switch action {
        case .ask(let holder):
            tell(holder, ticket) { [id] in $0.asked(for: way.key, by: way.userID, after: way.sequence, ticket, from: id)
            }
        case .askUser: askUser(ticket)
        case .takeUpHere:
            arrivals[ticket] = nil
            if let client = arriving.client { resume(way.key, for: client) }
        case .follow(let streams): for key in streams { follow(key, ticket) }
        case .take(let heads):
            guard let holder = way.holder else { return }
            tell(holder, ticket) { [id] in $0.take(way.key, heads, ticket, from: id) }
        case .install: install(arriving)
        case .fail(let isResumable): fail(arriving, resumable: isResumable)
        }
    }

    /// Says something to the node that is asked for a session. Only that its process has ended is known at once.
    private func tell(_ holder: NodeID, _ ticket: UInt64, _ body: @escaping (ChatNode) -> Void) {
        guard world.nodes[holder]?.isRunning == true else {
            let isOver = isOver(holder)
            return advance(ticket) { $0.unreachable(hasDied: isOver) }
        }
        world.send(from: self, to: holder, body)
    }

    /// Nobody but the nodes that it has been on knows here where a session lives.
    private func askUser(_ ticket: UInt64) {
        world.after(world.milliseconds(0.5...5), on: self) { [unowned self] in
            advance(ticket) { $0.found(at: nil, isHere: false) }
        }
    }

    /// Whether a node is known to have died.
    private func isOver(_ node: NodeID) -> Bool { world.cluster.isOver(node, at: id) }

    func refused(_ ticket: UInt64, _ refusal: SessionMoveRefusal, by peer: NodeID) {
        guard let key = arrivals[ticket]?.way.key else { return }
        let isHere = sessions[key] != nil
        advance(ticket) { $0.refused(refusal, by: peer, isHere: isHere) }
    }

    // MARK: Preparing its place

    func described(_ ticket: UInt64, _ streams: [StreamKey], of userID: UserID, by peer: NodeID) {
        guard let way = arrivals[ticket]?.way, way.holder == peer, way.userID == userID else { return }
        if arrivals[ticket]?.session == nil {
            arrivals[ticket]?.session = ChatSession(arriving: way.key, of: userID, node: self)
        }
        advance(ticket) { $0.described(streams, of: userID, by: peer) }
    }

    /// Makes sure that every later event of a stream comes to the session's place here.
    private func follow(_ key: StreamKey, _ ticket: UInt64) {
        guard let session = arrivals[ticket]?.session, session.phase == .ready else { return }
        session.subscribe(to: key)
        relays.whenReady(key) { [unowned self] isReady in
            guard isReady, let position = relays.position(of: key) else {
                return follows(key, from: nil, ticket, session)
            }
            session.watch(key) { [unowned self] isKnown in
                follows(key, from: isKnown ? position : nil, ticket, session)
            }
        }
    }

    private func follows(
        _ key: StreamKey, from position: StreamPosition?, _ ticket: UInt64, _ session: ChatSession
    ) {
        guard let arriving = arrivals[ticket] else {
            // Nobody waits any more.
            if position != nil { session.stopWatching(key) }
            return
        }
        guard arriving.session?.phase == .ready else { return fail(arriving, resumable: true) }
        guard let position else {
            return world.after(Self.pause, on: self) { [unowned self] in follow(key, ticket) }
        }
        advance(ticket) { $0.follows(key, from: position) }
    }

    // MARK: Taking it in

    func frozen(_ ticket: UInt64, _ state: FrozenSession, by peer: NodeID) {
        guard arrivals[ticket]?.way.holder == peer else { return }
        arrivals[ticket]?.state = state
        let (count, cost) = (state.missed.count, state.missed.reduce(0) { $0 + $1.cost })
        advance(ticket) { way in
            way.frozen(dispatches: UInt64(count), lastSequence: state.lastSequence, by: peer)
                ?? way.received(dispatches: count, cost: cost, by: peer)
        }
    }

    private func install(_ arriving: Arriving) {
        let way = arriving.way
        guard let state = arriving.state, let session = arriving.session, session.phase == .ready,
            let holder = way.holder
        else { return fail(arriving, resumable: true) }
        if let other = sessions[way.key] {
            // Of an earlier move, which the holder does not let come to its end any more; or settled meanwhile.
            guard let claim = other.claim else { return fail(arriving, resumable: true) }
            abandon(claim, resumable: true)
        }
        arrivals[way.ticket] = nil
        claims[way.ticket] = Claimed(session: session, client: arriving.client)
        session.restore(state, claim: SessionClaim(ticket: way.ticket, holder: holder, since: now))
        // What has gathered may have ended it.
        guard session.phase == .ready else { return }
        let seen = state.places.map { StreamHead(key: $0.key, position: $0.position) }
        settle(way.ticket, whenHandedOver: seen, before: now + SessionClaim.settling)
    }

    // MARK: Settling

    private func settle(_ ticket: UInt64, whenHandedOver seen: [StreamHead], before end: UInt64) {
        guard let session = claims[ticket]?.session else { return }
        guard now >= end || seen.allSatisfy({ relays.hasHandedOver($0.key, $0.position) }) else {
            return world.after(Self.relayPause, on: self) { [unowned self] in
                settle(ticket, whenHandedOver: seen, before: end)
            }
        }
        session.claim?.reached()
        askToSettle(session)
    }

    private func askToSettle(_ session: ChatSession) {
        guard let claim = session.claim, claim.isReached else { return }
        world.send(from: self, to: claim.holder) { [id, key = session.key] in $0.settle(key, claim.ticket, from: id) }
    }

    func settled(_ ticket: UInt64, isYours: Bool, by peer: NodeID) {
        guard let claimed = claims[ticket], let claim = claimed.session.claim, claim.holder == peer else { return }
        guard isYours else { return abandon(claim, resumable: true) }
        claims[ticket] = nil
        claimed.session.isSettled()
        world.auditor.trace(world.now, "session \(claimed.session.key) is on node \(id)")
        if let client = claimed.client { resume(claimed.session.key, for: client) }
    }

    /// A client comes for a session that is here and not settled. It takes the place of one that came before.
    private func wait(_ client: ArrivingClient, for session: ChatSession) {
        guard let claim = session.claim else { return }
        claims[claim.ticket]?.client?.refuse(resumable: true)
        claims[claim.ticket]?.client = client
        session.claim?.since = now
        askToSettle(session)
    }

    /// The session is the holder's, or somebody else's.
    private func abandon(_ claim: SessionClaim, resumable: Bool) {
        guard let claimed = claims.removeValue(forKey: claim.ticket) else { return }
        claimed.session.claim = nil
        claimed.session.end(tellingClient: false)
        claimed.client?.refuse(resumable: resumable)
    }

    /// A session that was not settled has ended: its streams broke.
    func ended(_ claim: SessionClaim) { claims.removeValue(forKey: claim.ticket)?.client?.refuse(resumable: true) }

    // MARK: Failing

    private func fail(_ arriving: Arriving, resumable: Bool) {
        arrivals[arriving.way.ticket] = nil
        arriving.session?.end(tellingClient: false)
        for key in arriving.way.heads.keys.sorted(by: { $0.id < $1.id }) { arriving.session?.stopWatching(key) }
        arriving.client?.refuse(resumable: resumable)
    }

    func loseArrivals(from peer: NodeID) {
        for ticket in arrivals.keys.sorted() { advance(ticket) { $0.linkLost(to: peer) } }
        // What has come stays until it is known whose it is.
        for ticket in claims.keys.sorted() where claims[ticket]?.session.claim?.holder == peer {
            claims[ticket]?.client?.refuse(resumable: true)
            claims[ticket]?.client = nil
        }
    }

    /// Once a second.
    func sweepArrivals() {
        for ticket in arrivals.keys.sorted() { advance(ticket) { $0.timedOut(at: now) } }
        for ticket in claims.keys.sorted() {
            guard let claimed = claims[ticket], let claim = claimed.session.claim else { continue }
            switch claim.step(at: now, isOver: isOver(claim.holder)) {
            case .abandon: abandon(claim, resumable: false)
            case .wait: break
            case .askAgain(let isPatient):
                askToSettle(claimed.session)
                guard !isPatient else { continue }
                claimed.client?.refuse(resumable: true)
                claims[ticket]?.client = nil
            }
        }
        let kept = ChatSession.patience + SessionArrival.patience
        departed.forget(before: now > kept ? now - kept : 0)
    }
}
