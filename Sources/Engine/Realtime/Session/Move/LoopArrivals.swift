import FluxCluster
import FluxCore
import NIOCore

/// Brings sessions from other nodes to one loop, for clients that have come here to take them up again (design 8): what stands around
/// `SessionArrival` and `SessionClaim`. Confined to its loop.
///
/// 1. The node that holds the session is found: by its id, by what nodes know that it has left, or from its User actor.
/// 2. It says what the session listens to; here that is subscribed to, and what comes gathers.
/// 3. The holder freezes the session when it has seen all that came before, and sends it.
/// 4. Here it goes on from there, unseen. When no stream here is behind what the session has seen there, or after a time, the holder is
///    asked to let go. Only when it has, the client gets anything.
///
/// Whatever fails before that leaves the session where it was, and the client is told to try again.
final class LoopArrivals {
    /// How many sessions may be on their way to one loop; beyond, clients are told to try again.
    static let maximum = 4_096
    /// How long an owner is waited for that cannot be asked now, before it is asked again.
    private static let pause: TimeAmount = .milliseconds(100)

    /// A session on its way.
    private struct Arriving {
        var way: SessionArrival
        /// Who waits for it; nil for a session whose node ends and whose client has not come back yet.
        let client: ArrivingClient?
        /// What it will be here; gathers what comes until the holder has sent it.
        var session: Session?
        var state: SessionState?
        var dispatches: [StreamEvent] = []
    }

    /// A session that is here, while its former holder has not said that it has let go.
    private struct Claimed {
        let session: Session
        /// Who waits for it; nil once the client was told to try again.
        var client: ArrivingClient?
    }

    private unowned let loop: EngineLoop
    private var services: EngineServices { loop.services }
    private var node: NodeID { services.system.identity.id }
    private var arrivals: [UInt64: Arriving] = [:]
    private var claims: [UInt64: Claimed] = [:]

    init(loop: EngineLoop) { self.loop = loop }

    var count: Int { arrivals.count + claims.count }

    // MARK: Finding it

    /// A client wants a session that is not on this node.
    func bring(_ key: SessionKey, for client: ArrivingClient) {
        guard count < Self.maximum else { return client.refuse(resumable: true) }
        let holder = services.sessions.departure(of: key)?.node ?? NodeID(rawValue: key.nodeID)
        begin(key, of: client.identity.userID, after: client.sequence, at: holder, for: client)
    }

    /// A node that ends offers a session whose client is away.
    func offered(_ key: SessionKey, of userID: UserID, after sequence: UInt64, by peer: NodeID) {
        guard !services.isDraining, count < Self.maximum, services.sessions.loop(of: key) == nil else {
            return
        }
        begin(key, of: userID, after: sequence, at: peer, for: nil)
    }

    private func begin(
        _ key: SessionKey, of userID: UserID, after sequence: UInt64, at holder: NodeID?, for client: ArrivingClient?
    ) {
        var way = SessionArrival(
            key, of: userID, after: sequence, to: node, ticket: SessionMoves.ticket(onLoop: loop.index), at: loop.now)
        let first = way.begin(at: holder)
        arrivals[way.ticket] = Arriving(way: way, client: client)
        perform(first, way.ticket)
    }

    /// Tells a session's way what was heard, and does what is to be done next.
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
            send(.ask(ticket: ticket, key: way.key, userID: way.userID, sequence: way.sequence), to: holder, ticket)
        case .askUser: askUser(way)
        case .takeUpHere:
            arrivals[ticket] = nil
            if let client = arriving.client { loop.sessions.resume(way.key, for: client) }
        case .follow(let streams): for key in streams { follow(key, ticket, as: way.userID) }
        case .take(let heads):
            if let holder = way.holder { send(.take(ticket: ticket, key: way.key, heads), to: holder, ticket) }
        case .install: install(arriving)
        case .fail(let isResumable): fail(arriving, resumable: isResumable)
        }
    }

    private func send(_ message: SessionMoveMessage, to holder: NodeID, _ ticket: UInt64) {
        guard !services.moves.send(message, to: holder) else { return }
        let hasDied = services.hasDied(holder)
        advance(ticket) { $0.unreachable(hasDied: hasDied) }
    }

    private func askUser(_ way: SessionArrival) {
        let (ticket, index) = (way.ticket, loop.index)
        services.system.invoke(
            UserCalls.whereabouts, on: .user(way.userID), SessionQuestion(session: way.key),
            replyOn: index, deadline: .milliseconds(Int64(SessionArrival.searching))
        ) { [services] result in
            services.run(on: index) { $0.arrivals.userAnswered(ticket, result) }
        }
    }

    private func userAnswered(_ ticket: UInt64, _ result: Result<SessionWhereabouts, CallError>) {
        guard let key = arrivals[ticket]?.way.key else { return }
        switch result {
        case .success(let answer):
            let isHere = isHere(key)
            advance(ticket) { $0.found(at: answer.node, isHere: isHere) }
        case .failure(.refused(let failure as APIError)) where failure.status == 404:
            perform(.fail(isResumable: false), ticket)
        case .failure: perform(.fail(isResumable: true), ticket)
        }
    }

    private func isHere(_ key: SessionKey) -> Bool { services.sessions.loop(of: key) != nil }

    func refused(_ ticket: UInt64, _ refusal: SessionMoveRefusal, by peer: NodeID) {
        guard let key = arrivals[ticket]?.way.key else { return }
        let isHere = isHere(key)
        advance(ticket) { $0.refused(refusal, by: peer, isHere: isHere) }
    }

    // MARK: Preparing its place

    func described(_ ticket: UInt64, _ description: SessionDescription, by peer: NodeID) {
        guard let way = arrivals[ticket]?.way, way.holder == peer, description.identity.userID == way.userID else {
            return
        }
        if arrivals[ticket]?.session == nil { arrivals[ticket]?.session = newSession(way.key, description) }
        advance(ticket) { $0.described(description.streams, of: description.identity.userID, by: peer) }
    }

    private func newSession(_ key: SessionKey, _ description: SessionDescription) -> Session {
        let session = Session(
            key: key, identity: description.identity, request: description.request, loop: loop,
            limits: services.limits)
        session.becameReady()
        return session
    }

    /// Makes sure that every later event of a stream comes to this loop, and, of a guild, that it counts the session here.
    private func follow(_ key: StreamKey, _ ticket: UInt64, as userID: UserID) {
        guard let session = arrivals[ticket]?.session else { return }
        session.subscribe(to: key)
        let (services, home) = (services, loop.index)
        let finished: @Sendable (StreamPosition?) -> Void = { position in
            services.run(on: home) { $0.arrivals.follows(key, from: position, ticket, as: userID) }
        }
        services.run(onLoopOf: key) { source in
            source.relays.whenReady(key) { isReady in
                guard isReady, let position = source.relays.position(of: key) else { return finished(nil) }
                guard key.kind == .guild else { return finished(position) }
                services.run(on: home) { loop in
                    loop.users.startWatching(key.id, as: userID) { isKnown in finished(isKnown ? position : nil) }
                }
            }
        }
    }

    private func follows(_ key: StreamKey, from position: StreamPosition?, _ ticket: UInt64, as userID: UserID) {
        guard let arriving = arrivals[ticket] else {
            // Nobody waits any more.
            if position != nil, key.kind == .guild { loop.users.stopWatching(key.id, as: userID) }
            return
        }
        guard arriving.session?.phase == .ready else { return fail(arriving, resumable: true) }
        guard let position else {
            // Its owner cannot be asked now.
            let (services, home) = (services, loop.index)
            loop.executor.eventLoop.scheduleTask(in: Self.pause) {
                services.run(on: home) { $0.arrivals.follow(key, ticket, as: userID) }
            }
            return
        }
        advance(ticket) { $0.follows(key, from: position) }
    }

    // MARK: Taking it in

    func frozen(_ ticket: UInt64, _ state: SessionState, by peer: NodeID) {
        guard arrivals[ticket]?.way.holder == peer else { return }
        arrivals[ticket]?.state = state
        arrivals[ticket]?.dispatches = []
        advance(ticket) {
            $0.frozen(dispatches: state.dispatchCount, lastSequence: state.lastSequence, by: peer)
        }
    }

    func received(_ ticket: UInt64, _ dispatches: [StreamEvent], by peer: NodeID) {
        guard let arriving = arrivals[ticket], arriving.way.holder == peer, arriving.state != nil else { return }
        arrivals[ticket]?.dispatches += dispatches
        let cost = dispatches.reduce(0) { $0 + $1.cost }
        advance(ticket) { $0.received(dispatches: dispatches.count, cost: cost, by: peer) }
    }

    private func install(_ arriving: Arriving) {
        let way = arriving.way
        guard let state = arriving.state, let session = arriving.session, session.phase == .ready,
            let holder = way.holder
        else { return fail(arriving, resumable: true) }
        if let other = loop.sessions[way.key] {
            // Of an earlier move, which the holder does not let come to its end any more; or settled meanwhile.
            guard let claim = other.claim else { return fail(arriving, resumable: true) }
            abandon(claim, resumable: true)
        }
        arrivals[way.ticket] = nil
        session.restore(state, arriving.dispatches, at: node)
        session.claim = SessionClaim(ticket: way.ticket, holder: holder, since: loop.now)
        claims[way.ticket] = Claimed(session: session, client: arriving.client)
        loop.sessions.takeIn(session)
        goOn(session, from: state)
        // What has gathered may have ended it.
        guard session.phase == .ready else { return }
        let seen = state.places.compactMap { place in place.position.map { StreamHead(key: place.key, position: $0) } }
        let ticket = way.ticket
        loop.whenHandedOver(seen, before: loop.now + services.limits.settlingMilliseconds) { loop, _ in
            loop.arrivals.reached(ticket)
        }
    }

    /// Continues the streams from where the session has seen them (I6).
    private func goOn(_ session: Session, from state: SessionState) {
        let places = Dictionary(state.places.map { ($0.key, $0) }) { first, _ in first }
        for key in Array(session.subscriptions.keys) where places[key]?.position == nil {
            // It has left the guild since it was described.
            session.unsubscribe(from: key)
            if key.kind == .guild { loop.users.stopWatching(key.id, as: session.userID) }
        }
        for place in state.places {
            guard let position = place.position else {
                loop.sessions.joinGuild(place.key.id, in: session)
                continue
            }
            guard let subscription = session.subscriptions[place.key] else { continue }
            loop.registry.becomeLive(subscription, at: position, visibility: place.visibility)
        }
        for send in state.unroutedSends { loop.sends.route(send, from: session) }
        for request in state.memberRequests { loop.requestMembers(request, for: session) }
    }

    // MARK: Settling

    private func reached(_ ticket: UInt64) {
        guard let session = claims[ticket]?.session else { return }
        session.claim?.reached()
        askToSettle(session)
    }

    private func askToSettle(_ session: Session) {
        guard let claim = session.claim, claim.isReached else { return }
        services.moves.send(.settle(ticket: claim.ticket, key: session.key), to: claim.holder)
    }

    func settled(_ ticket: UInt64, isYours: Bool, by peer: NodeID) {
        guard let claimed = claims[ticket], let claim = claimed.session.claim, claim.holder == peer else { return }
        guard isYours else { return abandon(claim, resumable: true) }
        claims[ticket] = nil
        let session = claimed.session
        session.claim = nil
        session.isAnnounced = true
        loop.users.sessionMoved(session)
        if let client = claimed.client { loop.sessions.resume(session.key, for: client) }
    }

    /// A client comes for a session that is here and not settled. It takes the place of one that came before.
    func wait(_ client: ArrivingClient, for session: Session) {
        guard let claim = session.claim, claims[claim.ticket] != nil else { return client.refuse(resumable: true) }
        claims[claim.ticket]?.client?.refuse(resumable: true)
        claims[claim.ticket]?.client = client
        session.claim?.since = loop.now
        askToSettle(session)
    }

    /// The session is the holder's, or somebody else's.
    private func abandon(_ claim: SessionClaim, resumable: Bool) {
        guard let claimed = claims.removeValue(forKey: claim.ticket) else { return }
        claimed.session.claim = nil
        loop.sessions.drop(claimed.session)
        claimed.client?.refuse(resumable: resumable)
    }

    /// A session that was not settled has ended: its streams broke, or it has waited for too long.
    func ended(_ session: Session) {
        guard let claim = session.claim else { return }
        session.claim = nil
        claims.removeValue(forKey: claim.ticket)?.client?.refuse(resumable: true)
    }

    // MARK: Failing

    private func fail(_ arriving: Arriving, resumable: Bool) {
        let way = arriving.way
        services.logger.debug(
            "a session does not come here",
            metadata: ["session": "\(way.key)", "holder": "\(way.holder?.description ?? "")", "again": "\(resumable)"])
        arrivals[way.ticket] = nil
        if let session = arriving.session, session.phase != .ended { session.end() }
        for key in way.heads.keys where key.kind == .guild { loop.users.stopWatching(key.id, as: way.userID) }
        arriving.client?.refuse(resumable: resumable)
    }

    func linkLost(to peer: NodeID) {
        for ticket in Array(arrivals.keys) { advance(ticket) { $0.linkLost(to: peer) } }
        // What has come stays until it is known whose it is.
        for ticket in Array(claims.keys) where claims[ticket]?.session.claim?.holder == peer {
            claims[ticket]?.client?.refuse(resumable: true)
            claims[ticket]?.client = nil
        }
    }

    /// Once a second: nobody waits for ever, and who has not heard whether a session is settled asks again.
    func sweep(at now: UInt64) {
        for ticket in Array(arrivals.keys) { advance(ticket) { $0.timedOut(at: now) } }
        for (ticket, claimed) in claims {
            guard let claim = claimed.session.claim else { continue }
            switch claim.step(at: now, isOver: services.isOver(claim.holder)) {
            case .abandon: abandon(claim, resumable: false)
            case .wait: break
            case .askAgain(let isPatient):
                askToSettle(claimed.session)
                guard !isPatient else { continue }
                claimed.client?.refuse(resumable: true)
                claims[ticket]?.client = nil
            }
        }
        if loop.index == 0 {
            let kept = services.limits.resumeMilliseconds + SessionArrival.patience
            services.sessions.forgetDepartures(before: now > kept ? now - kept : 0)
        }
    }
}
