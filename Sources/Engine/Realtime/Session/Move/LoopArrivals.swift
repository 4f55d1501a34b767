import FluxCluster
import FluxCore
import NIOCore

/// Brings sessions from other nodes to one loop, for clients that have come here to take them up again (design 8). Confined to its
/// loop.
///
/// 1. The node that holds the session is found: by its id, by what nodes know that it has left, or from its User actor.
/// 2. It says what the session listens to; here that is subscribed to, and what comes gathers.
/// 3. The holder freezes the session when it has seen all that came before, and sends it.
/// 4. Here it goes on from there, unseen, until the holder has let go. Only then the client gets anything.
///
/// Whatever fails before that leaves the session where it was, and the client is told to try again.
final class LoopArrivals {
    /// How many sessions may be on their way to one loop; beyond, clients are told to try again.
    static let maximum = 4_096
    /// How often a session that has got more streams meanwhile is asked for again.
    private static let maximumRounds = 4
    /// How many nodes are asked for one session.
    private static let maximumHolders = 4
    private static let pause: TimeAmount = .milliseconds(100)
    /// How long it may take to find the session, in milliseconds: a client of a node that has just died shall not wait for long.
    private static let searching: UInt64 = 3_000
    /// Dispatches and their bytes that a session may bring along.
    private static let maximumDispatches: UInt64 = 65_536
    private static let maximumCost = 64 << 20

    private unowned let loop: EngineLoop
    private var services: EngineServices { loop.services }
    private var node: NodeID { services.system.identity.id }
    private var arrivals: [UInt64: SessionArrival] = [:]
    /// Sessions that are here, while their former holder has not said that it has let go.
    private var claims: [UInt64: Session] = [:]

    init(loop: EngineLoop) { self.loop = loop }

    /// A client wants a session that is not on this node.
    func bring(_ key: SessionKey, for client: ArrivingClient) {
        guard arrivals.count < Self.maximum else { return client.refuse(resumable: true) }
        let arrival = newArrival(key, .client(client))
        let holder = services.sessions.departure(of: key)?.node ?? NodeID(rawValue: key.nodeID)
        if let holder, holder != node, ask(holder, for: arrival) { return }
        askUser(for: arrival)
    }

    /// A node that ends offers a session whose client is away.
    func offered(_ key: SessionKey, of userID: UserID, after sequence: UInt64, by peer: NodeID) {
        guard !services.isDraining, arrivals.count < Self.maximum, services.sessions.loop(of: key) == nil else {
            return
        }
        let arrival = newArrival(key, .absent(userID, sequence: sequence))
        if !ask(peer, for: arrival) { fail(arrival, resumable: true) }
    }

    private func newArrival(_ key: SessionKey, _ taking: SessionTaking) -> SessionArrival {
        let arrival = SessionArrival(
            key: key, ticket: SessionMoves.ticket(onLoop: loop.index), taking: taking, since: loop.now)
        arrivals[arrival.ticket] = arrival
        return arrival
    }

    // MARK: Finding it

    /// - Returns: false if the node cannot be asked.
    private func ask(_ holder: NodeID, for arrival: SessionArrival) -> Bool {
        arrival.asked.insert(holder)
        arrival.holder = holder
        return services.moves.send(
            .ask(
                ticket: arrival.ticket, key: arrival.key, userID: arrival.taking.userID,
                sequence: arrival.taking.sequence),
            to: holder)
    }

    private func askUser(for arrival: SessionArrival) {
        guard !arrival.hasAskedUser else { return fail(arrival, resumable: false) }
        arrival.hasAskedUser = true
        let (ticket, index) = (arrival.ticket, loop.index)
        services.system.invoke(
            UserCalls.whereabouts, on: .user(arrival.taking.userID), SessionQuestion(session: arrival.key),
            replyOn: index, deadline: .milliseconds(Int64(Self.searching))
        ) { [services] result in
            services.run(on: index) { $0.arrivals.userAnswered(ticket, result) }
        }
    }

    private func userAnswered(_ ticket: UInt64, _ result: Result<SessionWhereabouts, CallError>) {
        guard let arrival = arrivals[ticket] else { return }
        switch result {
        case .success(let answer): isAt(answer.node, arrival)
        case .failure(.refused(let failure as APIError)) where failure.status == 404: fail(arrival, resumable: false)
        case .failure: fail(arrival, resumable: true)
        }
    }

    /// Somebody has said where it lives.
    private func isAt(_ holder: NodeID?, _ arrival: SessionArrival) {
        guard let holder else { return fail(arrival, resumable: false) }
        if holder == node {
            // It came here meanwhile, or what one remembers of it is older than this process.
            guard services.sessions.loop(of: arrival.key) != nil else { return fail(arrival, resumable: false) }
            arrivals[arrival.ticket] = nil
            if let client = arrival.taking.client { loop.sessions.resume(arrival.key, for: client) }
            return
        }
        guard arrival.asked.count < Self.maximumHolders, !arrival.asked.contains(holder), ask(holder, for: arrival)
        else {
            // A node that cannot be reached now may be reached later, one that is over not.
            return fail(arrival, resumable: !services.isOver(holder) && !arrival.refusedBy.contains(holder))
        }
    }

    func refused(_ ticket: UInt64, _ refusal: SessionMoveMessage.Refusal, by peer: NodeID) {
        guard let arrival = arrivals[ticket], arrival.holder == peer else { return }
        switch refusal {
        case .impossible: fail(arrival, resumable: false)
        case .notNow: fail(arrival, resumable: true)
        case .movedTo(let holder):
            arrival.refusedBy.insert(peer)
            isAt(holder, arrival)
        case .unknown:
            arrival.refusedBy.insert(peer)
            askUser(for: arrival)
        }
    }

    // MARK: Preparing its place

    func described(_ ticket: UInt64, _ description: SessionDescription, by peer: NodeID) {
        guard let arrival = arrivals[ticket], arrival.holder == peer,
            description.identity.userID == arrival.taking.userID, arrival.awaited.isEmpty
        else { return }
        arrival.rounds += 1
        guard arrival.rounds <= Self.maximumRounds else { return fail(arrival, resumable: true) }
        let session = arrival.session ?? newSession(arrival.key, description)
        arrival.session = session
        for key in description.streams where arrival.heads[key] == nil && session.subscribe(to: key) != nil {
            arrival.awaited.insert(key)
        }
        for key in arrival.awaited { follow(key, for: arrival) }
        if arrival.awaited.isEmpty { take(arrival) }
    }

    private func newSession(_ key: SessionKey, _ description: SessionDescription) -> Session {
        let session = Session(
            key: key, identity: description.identity, request: description.request, loop: loop,
            limits: services.limits)
        session.becameReady()
        return session
    }

    /// Makes sure that every later event of a stream comes to this loop, and, of a guild, that it counts the session here.
    private func follow(_ key: StreamKey, for arrival: SessionArrival) {
        let (services, home, ticket, userID) = (services, loop.index, arrival.ticket, arrival.taking.userID)
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
        guard let arrival = arrivals[ticket] else {
            // Nobody waits any more.
            if position != nil, key.kind == .guild { loop.users.stopWatching(key.id, as: userID) }
            return
        }
        guard arrival.session?.phase == .ready else { return fail(arrival, resumable: true) }
        guard let position else {
            // Its owner cannot be asked now.
            let (services, home) = (services, loop.index)
            loop.executor.eventLoop.scheduleTask(in: Self.pause) {
                services.run(on: home) { loop in
                    if let arrival = loop.arrivals.arrivals[ticket] { loop.arrivals.follow(key, for: arrival) }
                }
            }
            return
        }
        arrival.heads[key] = position
        arrival.awaited.remove(key)
        if arrival.awaited.isEmpty { take(arrival) }
    }

    private func take(_ arrival: SessionArrival) {
        guard let holder = arrival.holder else { return }
        let heads = arrival.heads.map { StreamHead(key: $0.key, position: $0.value) }
        if !services.moves.send(.take(ticket: arrival.ticket, key: arrival.key, heads), to: holder) {
            fail(arrival, resumable: true)
        }
    }

    // MARK: Taking it in

    func frozen(_ ticket: UInt64, _ state: SessionState, by peer: NodeID) {
        guard let arrival = arrivals[ticket], arrival.holder == peer else { return }
        guard state.dispatchCount <= min(Self.maximumDispatches, state.lastSequence) else {
            return fail(arrival, resumable: false)
        }
        arrival.state = state
        arrival.dispatches = []
        installIfComplete(arrival)
    }

    func received(_ ticket: UInt64, _ dispatches: [StreamEvent], by peer: NodeID) {
        guard let arrival = arrivals[ticket], arrival.holder == peer, let state = arrival.state else { return }
        arrival.dispatches += dispatches
        arrival.cost += dispatches.reduce(0) { $0 + $1.cost }
        guard arrival.dispatches.count <= state.dispatchCount, arrival.cost <= Self.maximumCost else {
            return fail(arrival, resumable: false)
        }
        installIfComplete(arrival)
    }

    private func installIfComplete(_ arrival: SessionArrival) {
        guard let state = arrival.state, arrival.dispatches.count == state.dispatchCount else { return }
        guard let session = arrival.session, session.phase == .ready, let holder = arrival.holder else {
            return fail(arrival, resumable: true)
        }
        if let other = loop.sessions[arrival.key] {
            // Of an earlier move, which the holder does not let come to its end any more; or settled meanwhile.
            guard let claim = other.claim else { return fail(arrival, resumable: true) }
            abandon(other, claim, resumable: true)
        }
        arrivals[arrival.ticket] = nil
        session.restore(state, arrival.dispatches, at: node)
        session.claim = SessionClaim(
            ticket: arrival.ticket, holder: holder, client: arrival.taking.client, since: loop.now)
        claims[arrival.ticket] = session
        loop.sessions.takeIn(session)
        goOn(session, from: state)
        // What has gathered may have ended it.
        guard session.phase == .ready else { return }
        services.moves.send(.settle(ticket: arrival.ticket, key: arrival.key), to: holder)
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

    func settled(_ ticket: UInt64, isYours: Bool, by peer: NodeID) {
        guard let session = claims[ticket], let claim = session.claim, claim.holder == peer else { return }
        guard isYours else { return abandon(session, claim, resumable: true) }
        claims[ticket] = nil
        session.claim = nil
        session.isAnnounced = true
        loop.users.sessionMoved(session)
        if let client = claim.client { loop.sessions.resume(session.key, for: client) }
    }

    /// A client comes for a session that is here and not settled. It takes the place of one that came before.
    func wait(_ client: ArrivingClient, for session: Session) {
        guard let claim = session.claim else { return client.refuse(resumable: true) }
        claim.client?.refuse(resumable: true)
        claim.client = client
        claim.since = loop.now
        services.moves.send(.settle(ticket: claim.ticket, key: session.key), to: claim.holder)
    }

    /// The session is the holder's, or somebody else's.
    private func abandon(_ session: Session, _ claim: SessionClaim, resumable: Bool) {
        claims[claim.ticket] = nil
        session.claim = nil
        loop.sessions.drop(session)
        claim.client?.refuse(resumable: resumable)
    }

    /// A session that was not settled has ended: its streams broke, or it has waited for too long.
    func ended(_ session: Session) {
        guard let claim = session.claim else { return }
        claims[claim.ticket] = nil
        session.claim = nil
        claim.client?.refuse(resumable: true)
    }

    // MARK: Failing

    private func fail(_ arrival: SessionArrival, resumable: Bool) {
        arrivals[arrival.ticket] = nil
        if let session = arrival.session, session.phase != .ended {
            session.end()
        }
        for key in arrival.heads.keys where key.kind == .guild {
            loop.users.stopWatching(key.id, as: arrival.taking.userID)
        }
        arrival.taking.client?.refuse(resumable: resumable)
    }

    func linkLost(to peer: NodeID) {
        for arrival in Array(arrivals.values) where arrival.holder == peer { fail(arrival, resumable: true) }
        // What has come stays until it is known whose it is.
        for session in Array(claims.values) where session.claim?.holder == peer {
            session.claim?.client?.refuse(resumable: true)
            session.claim?.client = nil
        }
    }

    /// Once a second: nobody waits for ever, and who has not heard whether a session is settled asks again.
    func sweep(at now: UInt64) {
        for arrival in Array(arrivals.values) {
            let patience = arrival.session == nil ? Self.searching : SessionMoves.patience
            if now >= arrival.since + patience { fail(arrival, resumable: true) }
        }
        for session in Array(claims.values) {
            guard let claim = session.claim else { continue }
            guard !services.isOver(claim.holder) else {
                // Nobody can say whether the client has been told more of it there.
                abandon(session, claim, resumable: false)
                continue
            }
            services.moves.send(.settle(ticket: claim.ticket, key: session.key), to: claim.holder)
            guard now >= claim.since + SessionMoves.patience else { continue }
            claim.client?.refuse(resumable: true)
            claim.client = nil
        }
        if loop.index == 0 {
            let kept = services.limits.resumeMilliseconds + SessionMoves.patience
            services.sessions.forgetDepartures(before: now > kept ? now - kept : 0)
        }
    }

    var count: Int { arrivals.count + claims.count }
}
