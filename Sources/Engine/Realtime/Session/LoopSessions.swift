import Collections
import FluxCluster
import FluxCore

/// The sessions of one event loop: begins, resumes, moves and ends them. Confined to its loop.
final class LoopSessions {
    /// Why the engine ends a session.
    enum Ending {
        /// The client begins a new session: events for it were lost.
        case reconnectAnew
        /// Its login or token is void.
        case credentialsEnded

        var closeCode: GatewayCloseCode {
            switch self {
            case .reconnectAnew: .unknownError
            case .credentialsEnded: .authenticationFailed
            }
        }
    }

    typealias Completion = (Result<any SessionHandle, SessionRefusal>) -> Void

    private unowned let loop: EngineLoop
    private let services: EngineServices
    private var sessions: [SessionKey: Session] = [:]
    /// Sessions without a connection, by the time at which they lost it.
    private var detached: Deque<(key: SessionKey, since: UInt64)> = []
    private var openings: OpeningQueue<SessionKey>
    /// What waits for sessions that are on their way to this loop.
    private var arrivals: [SessionKey: [(Session?) -> Void]] = [:]

    init(loop: EngineLoop) {
        self.loop = loop
        services = loop.services
        openings = OpeningQueue(
            concurrent: services.limits.concurrentOpenings, waiting: services.limits.waitingOpenings)
    }

    var count: Int { sessions.count }
    var detachedCount: Int { sessions.values.reduce(0) { $0 + ($1.isDetached ? 1 : 0) } }
    var replayCost: Int { sessions.values.reduce(0) { $0 + $1.ring.cost } }

    subscript(key: SessionKey) -> Session? { sessions[key] }

    // MARK: Identify

    func identify(
        _ request: IdentifyRequest, as identity: GatewayIdentity, over transport: any SessionTransport,
        completion: Completion
    ) {
        if let shard = request.shard, shard.count < 1 || shard.index < 0 || shard.index >= shard.count {
            return completion(.failure(.close(.invalidShard)))
        }
        let key = SessionKey(nodeID: services.nodeID, random: UInt64.random(in: 0...UInt64.max))
        guard !services.isDraining, openings.enqueue(key) else {
            return completion(.failure(.invalidSession(resumable: false)))
        }
        let session = Session(key: key, identity: identity, request: request, loop: loop, limits: services.limits)
        sessions[key] = session
        services.sessions.set(key, loop: loop.index)
        session.attach(transport)
        completion(.success(AttachedSession(session, transport: transport)))
        beginOpenings()
    }

    private func beginOpenings() {
        while let key = openings.next() {
            guard let session = sessions[key] else {
                openings.finished()
                continue
            }
            guard let actor = host(session) else {
                openingFailed(session, with: .unknownError)
                openings.finished()
                continue
            }
            actor.assumeIsolated { $0.beginOpening() }
        }
    }

    /// Gives the session its actor, through which the cluster speaks to it.
    private func host(_ session: Session) -> SessionActor? {
        let address = ActorAddress(session: session.key, onLoop: loop.index, of: services.mesh)
        session.actor = services.system.host(at: address) {
            SessionActor(session, loop: loop, system: services.system)
        }
        return session.actor
    }

    private func letGo(_ session: Session) {
        guard let actor = session.actor else { return }
        services.system.release(actor.id)
        session.actor = nil
    }

    /// READY has left, or the session could not be opened.
    func openingFinished(_ key: SessionKey) {
        openings.finished()
        beginOpenings()
    }

    /// The session's user is gone, or its parts cannot be had now.
    func openingFailed(_ session: Session, with code: GatewayCloseCode) {
        let transport = session.releaseTransport()
        remove(session)
        transport?.close(code)
    }

    // MARK: Resume

    /// How often a session that is taken away from under a RESUME is looked for again.
    private static let maximumChases = 16

    /// Takes a session up again, wherever it lives.
    /// - Parameter chases: how often the session may still be looked for on another loop.
    func resume(_ key: SessionKey, for client: ArrivingClient, chases: Int = maximumChases) {
        // It goes on, elsewhere.
        guard !services.isDraining else { return client.refuse(resumable: true) }
        if let session = sessions[key] { return takeUp(session, for: client) }
        guard let home = services.sessions.loop(of: key) else { return loop.arrivals.bring(key, for: client) }
        guard home != loop.index else {
            return onArrival(of: key) { [unowned self] session in
                guard let session else { return client.refuse(resumable: false) }
                takeUp(session, for: client)
            }
        }
        // The session lives on another loop than the new connection: it moves here.
        let arriving = LoopConfined(client)
        let (services, target, identity, sequence) = (services, loop.index, client.identity, client.sequence)
        services.run(on: home) { source in
            // Another connection may have taken it away in the meantime; then it is looked for anew.
            let isGone = source.sessions[key] == nil && services.sessions.loop(of: key) != home
            let isUnsettled = source.sessions[key]?.claim != nil
            let moved = source.sessions.release(key, for: identity, after: sequence, to: target).map(LoopConfined.init)
            services.run(on: target) { target in
                if let moved {
                    target.sessions.adopt(moved.value)
                } else if !isGone || chases == 0 {
                    return arriving.value.refuse(resumable: isUnsettled)
                }
                target.sessions.resume(key, for: arriving.value, chases: chases - 1)
                if moved != nil { target.sessions.arrived(key) }
            }
        }
    }

    private func takeUp(_ session: Session, for client: ArrivingClient) {
        guard session.phase == .ready, session.identity.userID == client.identity.userID,
            let missed = session.replay(after: client.sequence)
        else { return client.refuse(resumable: false) }
        guard session.claim == nil else { return loop.arrivals.wait(client, for: session) }
        // A node that was about to take it comes too late.
        session.departure = nil
        let transport = client.transport
        session.releaseTransport()?.close(.unknownError)
        session.acknowledge(client.sequence)
        session.attach(transport)
        let wasOffline = session.countsAsOffline
        session.countsAsOffline = false
        client.completion(.success(AttachedSession(session, transport: transport)))
        for dispatch in missed { transport.deliver(dispatch.event, sequence: dispatch.sequence) }
        session.dispatch(StreamEvent(kind: .resumed, body: Array("{}".utf8)))
        if wasOffline { loop.users.sessionReturned(session) }
    }

    // MARK: Moving between loops

    /// Runs `body` when a session is here of which the directory says so: it was let go by its former loop and its arrival
    /// has been posted to this one. With nil if it has ended meanwhile.
    func onArrival(of key: SessionKey, _ body: @escaping (Session?) -> Void) {
        arrivals[key, default: []].append(body)
    }

    private func arrived(_ key: SessionKey) {
        for body in arrivals.removeValue(forKey: key) ?? [] { body(sessions[key]) }
    }

    /// A session on its way to another loop, with its place in each stream.
    struct MovingSession {
        let session: Session
        let places: [Session.Place]
    }

    /// Lets a session go to another loop; nil if it is not here, not this user's, or cannot be continued.
    func release(
        _ key: SessionKey, for identity: GatewayIdentity, after sequence: UInt64, to target: Int
    ) -> MovingSession? {
        guard let session = sessions[key], session.phase == .ready, session.identity.userID == identity.userID,
            session.claim == nil, session.replay(after: sequence) != nil
        else { return nil }
        let places = session.places
        session.releaseTransport()?.close(.unknownError)
        sessions[key] = nil
        // From here on whoever looks for it is sent to where it goes, and arrives there after it.
        services.sessions.set(key, loop: target)
        letGo(session)
        session.leaveStreams()
        return MovingSession(session: session, places: places)
    }

    /// Takes in a session from another loop; its streams are continued from where it stood there (I6).
    func adopt(_ moving: MovingSession) {
        let session = moving.session
        session.loop = loop
        sessions[session.key] = session
        let actor = host(session)
        for place in moving.places {
            guard let subscription = session.subscribe(to: place.key) else { continue }
            if let position = place.position {
                subscription.continuesFrom = position
                subscription.visibility = place.visibility
                fetchMissed(of: subscription, from: position, for: session.key)
            } else {
                actor?.assumeIsolated { $0.beginOpening(place.key.id) }
            }
        }
        // It may have left its former loop before it asked.
        for guildID in session.doubtedLosses { doubtLoss(of: guildID, in: session) }
    }

    /// Fills the gap between where a session stood when it left its former loop and its registration here, from the relay.
    private func fetchMissed(of subscription: Subscription, from position: StreamPosition, for key: SessionKey) {
        let (stream, services, here) = (subscription.key, services, loop.index)
        let asked = LoopConfined(subscription)
        services.run(onLoopOf: stream) { home in
            let missed = home.relays.events(of: stream, after: position)
            services.run(on: here) { here in
                // The session may have ended or moved on meanwhile.
                guard let session = here.sessions[key], let subscription = session.subscriptions[stream],
                    subscription === asked.value
                else { return }
                guard let missed else { return session.subscriptionBroken(stream) }
                here.registry.replay(missed, to: subscription, from: position, visibility: subscription.visibility)
            }
        }
    }

    // MARK: Detaching and ending

    func detach(_ session: Session, closeCode: UInt16?) {
        session.releaseTransport()
        guard session.phase != .ended else { return }
        if closeCode == GatewayCloseCode.normal.rawValue || closeCode == GatewayCloseCode.goingAway.rawValue
            || session.phase == .opening
        {
            remove(session)
        } else {
            waitForClient(session)
        }
    }

    private func waitForClient(_ session: Session) {
        session.detachedSince = services.clock.milliseconds
        detached.append((session.key, session.detachedSince))
    }

    // MARK: Moving between nodes

    /// The session's client is said to have come to another node.
    func clientLeft(_ session: Session) {
        guard let transport = session.releaseTransport() else { return }
        waitForClient(session)
        transport.close(.unknownError)
    }

    /// Another node has the session and follows its streams: here it is over, which nobody need be told.
    func letDepart(_ session: Session, to node: NodeID, ticket: UInt64) {
        drop(session)
        services.sessions.departed(session.key, to: node, ticket: ticket, at: services.clock.milliseconds)
    }

    /// How long a node that was offered a session, or is taking it, is waited for before another one is offered it, in milliseconds:
    /// longer than any step of a move (`LoopDepartures.waiting`, `SessionClaim.settling`).
    private static let offerTime: UInt64 = 4_000

    /// This node ends: others may have the sessions that wait for their clients, so many at a time.
    func offer(to nodes: [NodeID], atMost count: Int) {
        var offered = 0
        for session in sessions.values where session.isDetached && session.phase == .ready && session.claim == nil {
            if let last = session.offeredAt, loop.now < last + Self.offerTime { continue }
            guard offered < count, let node = nodes.randomElement() else { return }
            offered += 1
            let offer = SessionMoveMessage.offer(
                ticket: UInt64.random(in: 0...UInt64.max), key: session.key, userID: session.userID,
                sequence: session.ring.lastSequence - UInt64(session.ring.count))
            if services.moves.send(offer, to: node) { session.offeredAt = loop.now }
        }
    }

    /// Takes in a session that has come from another node and waits for its client.
    func takeIn(_ session: Session) {
        sessions[session.key] = session
        services.sessions.set(session.key, loop: loop.index)
        _ = host(session)
        waitForClient(session)
    }

    /// Forgets a session that lives on another node; of it nobody is told anything.
    func drop(_ session: Session) {
        let watched = session.watchedGuilds
        forget(session)
        for guild in watched { loop.users.stopWatching(guild, as: session.userID) }
    }

    private func forget(_ session: Session) {
        session.end()
        if sessions[session.key] === session {
            sessions[session.key] = nil
            services.sessions.remove(session.key, from: loop.index)
        }
        letGo(session)
    }

    /// Ends a session from the server's side.
    func end(_ session: Session, close ending: Ending) {
        let transport = session.releaseTransport()
        remove(session)
        transport?.close(ending.closeCode)
    }

    private func remove(_ session: Session) {
        guard session.phase != .ended else { return }
        // What has come from another node and is not settled may live on there.
        guard session.claim == nil else {
            drop(session)
            return loop.arrivals.ended(session)
        }
        let watched = session.watchedGuilds
        forget(session)
        if session.isAnnounced { loop.users.sessionEnded(session, watching: watched) }
    }

    /// Ends sessions whose clients did not come back, and marks users offline whose sessions wait. Runs every second.
    func sweep(at now: UInt64) {
        while let first = detached.first, now >= first.since + services.limits.resumeMilliseconds {
            detached.removeFirst()
            if let session = sessions[first.key], session.detachedSince == first.since, session.isDetached {
                remove(session)
            }
        }
        for entry in detached where now >= entry.since + services.limits.offlineMilliseconds {
            guard let session = sessions[entry.key], session.detachedSince == entry.since, session.isDetached,
                !session.countsAsOffline
            else { continue }
            session.countsAsOffline = true
            loop.users.sessionAbsent(session)
        }
    }

    /// Gives back replay memory at the node's bound: first of sessions that wait, then of all (design 8).
    func shedReplay() {
        for session in sessions.values where session.isDetached { session.halveReplay() }
        if HeldEvents.bytes > services.limits.heldEventBytes {
            for session in sessions.values { session.halveReplay() }
        }
    }

    /// The node drains: every client is told to come back, a few at a time.
    func reconnectAll(atMost count: Int) -> Int {
        var told = 0
        for session in sessions.values where !session.isDetached && told < count {
            session.releaseTransport()?.reconnect()
            waitForClient(session)
            told += 1
        }
        return told
    }

    // MARK: Guilds that come later

    /// The session's user has joined a guild.
    func joinGuild(_ guildID: GuildID, in session: Session) {
        session.doubtedLosses.remove(guildID)
        guard session.phase != .ended, session.serves(guildID), let actor = session.actor,
            session.subscribe(to: .guild(guildID)) != nil
        else { return }
        actor.assumeIsolated { $0.beginOpening(guildID) }
    }

    /// A guild is gone for a session, as somebody says who may know less of it than the session's user.
    func doubtLoss(of guildID: GuildID, in session: Session) {
        session.actor?.assumeIsolated { $0.beginAskingAgain(guildID) }
    }
}
