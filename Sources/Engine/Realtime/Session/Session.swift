import FluxCluster
import FluxCore

/// One gateway session (protocol 7): its subscriptions, its sequence numbers, and what a client may have to be told again.
///
/// Confined to one event loop, which is the loop of its connection and of its `SessionActor`. Events are handed in by
/// the loop's registry, without a hop or a task per session.
///
/// `@unchecked Sendable` is sound because of that confinement: it changes loops only in `LoopSessions.release` and `adopt`, as
/// a message from one loop to the other, when the first has let go of it. Another node makes a session of its own of what it is sent.
final class Session: StreamSubscriber, @unchecked Sendable {
    /// Names the session in its node; part of `identifier`.
    let key: SessionKey
    let identity: GatewayIdentity
    let request: IdentifyRequest
    /// Where the session lives; changes only when it moves between loops, while no connection holds it.
    unowned(safe) var loop: EngineLoop
    /// Speaks for the session in the cluster.
    var actor: SessionActor?

    private(set) var ring: ReplayRing
    private(set) var transport: (any SessionTransport)?
    /// What the session listens to, and its place in each stream.
    private(set) var subscriptions: [StreamKey: Subscription] = [:]
    private(set) var phase: Phase = .opening
    /// Whether the User actor knows of the session.
    var isAnnounced = false
    /// Whether the User actor was told that the session has waited so long that its user may be offline.
    var countsAsOffline = false
    /// When the connection was lost, in milliseconds of the engine's clock.
    var detachedSince: UInt64 = 0
    /// Guilds that READY called unavailable and that the client has not been shown since.
    var unavailableGuilds: Set<GuildID> = []
    /// Guilds that the client was told are gone, in doubt: their present owner has not confirmed it yet.
    var doubtedLosses: Set<GuildID> = []
    /// What the client shows of its user.
    var presence = SessionPresence()
    var presenceBudget = PresenceBudget()
    var acknowledgements = PendingAcknowledgements()
    /// Requests for members that have no answer yet.
    var memberRequests: [UInt64: MemberRequest] = [:]
    /// Where the session lives, once it has left the node that its id names.
    var home: SessionHome?
    /// When it was offered to another node last, in milliseconds of the engine's clock.
    var offeredAt: UInt64?
    /// Another node is taking the session.
    var departure: SessionDeparture?
    /// The session came from another node, which has not let go of it yet: nothing of it may reach the client.
    var claim: SessionClaim?
    /// Sends that arrived while the guild of their channel was being looked up, in order.
    var unroutedSends: [ChannelID: [(ticket: UInt64, body: JSON)]] = [:]

    enum Phase: Equatable {
        /// READY is being put together.
        case opening
        /// READY has been dispatched.
        case ready
        /// Gone; nothing reaches it any more.
        case ended
    }

    init(key: SessionKey, identity: GatewayIdentity, request: IdentifyRequest, loop: EngineLoop, limits: SessionLimits)
    {
        self.key = key
        self.identity = identity
        self.request = request
        self.loop = loop
        ring = ReplayRing(maximumCount: limits.replayEvents, maximumCost: limits.replayBytes)
    }

    var userID: UserID { identity.userID }
    var identifier: String { key.description }
    var isDetached: Bool { transport == nil }

    // MARK: The connection

    func attach(_ transport: any SessionTransport) { self.transport = transport }

    /// Lets go of the connection, which from here on hears nothing of this session.
    @discardableResult
    func releaseTransport() -> (any SessionTransport)? {
        defer { transport = nil }
        return transport
    }

    /// The client has everything up to `sequence`.
    func acknowledge(_ sequence: UInt64) { ring.acknowledge(sequence) }

    /// Frees half of the replay memory; a client that needs what is dropped gets INVALID_SESSION.
    func halveReplay() {
        for _ in 0..<(ring.count + 1) / 2 { ring.dropOldest() }
    }

    // MARK: Dispatching

    /// Sends one dispatch and keeps it for a resume. Runs once per session and event.
    func dispatch(_ event: StreamEvent) {
        let sequence = ring.append(event)
        transport?.deliver(event, sequence: sequence)
    }

    /// What is to be sent again after `sequence`, or nil if it is not held any more.
    func replay(after sequence: UInt64) -> [(sequence: UInt64, event: StreamEvent)]? {
        ring.dispatches(after: sequence)
    }

    func receive(_ event: StreamEvent) {
        if identity.isBot, !event.intents.isEmpty, request.intents.isDisjoint(with: event.intents),
            event.subject != userID
        {
            return
        }
        dispatch(event)
    }

    // MARK: Subscriptions

    /// Begins to gather the events of a stream; does nothing if the session has it already.
    @discardableResult
    func subscribe(to key: StreamKey) -> Subscription? {
        guard phase != .ended, subscriptions[key] == nil else { return nil }
        let subscription = loop.subscribe(self, to: key)
        subscriptions[key] = subscription
        return subscription
    }

    func unsubscribe(from key: StreamKey) {
        guard let subscription = subscriptions.removeValue(forKey: key) else { return }
        loop.unsubscribe(subscription)
    }

    func subscriptionEnded(_ key: StreamKey, isInDoubt: Bool) {
        unsubscribe(from: key)
        guard isInDoubt, key.kind == .guild else { return }
        doubtedLosses.insert(key.id)
        loop.sessions.doubtLoss(of: key.id, in: self)
    }

    /// The guild's own stream says so first, as long as its owner lives; who has heard it there is not subscribed any more.
    func leaveGuild(_ guildID: GuildID) {
        let wasTold = doubtedLosses.remove(guildID) != nil
        guard subscriptions[.guild(guildID)] != nil else { return }
        unsubscribe(from: .guild(guildID))
        unavailableGuilds.remove(guildID)
        guard !wasTold else { return }
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("id", guildID)
        writer.endObject()
        dispatch(StreamEvent(kind: .guildDelete, body: writer.bytes, intents: .guilds))
    }

    func subscriptionBroken(_ key: StreamKey) {
        // A gap cannot be mended by the client: it has to begin anew (I6).
        loop.sessions.end(self, close: .reconnectAnew)
    }

    func perform(_ control: StreamControl) {
        switch control {
        case .guildJoined(let guildID): loop.sessions.joinGuild(guildID, in: self)
        case .guildLeft(let guildID): leaveGuild(guildID)
        case .loginEnded(let loginID):
            if identity.loginID == loginID { loop.sessions.end(self, close: .credentialsEnded) }
        case .credentialsRevoked: loop.sessions.end(self, close: .credentialsEnded)
        // A gap cannot be mended by the client: it has to begin anew (I6).
        case .broken: loop.sessions.end(self, close: .reconnectAnew)
        case .access, .memberRemoved, .streamEnded: break
        }
    }

    /// Whether the guild's events are for this session: of a sharded bot each session has some of the guilds.
    func serves(_ guildID: GuildID) -> Bool {
        guard let shard = request.shard else { return true }
        return (guildID.rawValue >> 22) % UInt64(shard.count) == UInt64(shard.index)
    }

    /// The guilds whose actors count this session.
    var watchedGuilds: [GuildID] {
        subscriptions.values.compactMap { $0.key.kind == .guild && $0.visibility != nil ? $0.key.id : nil }
    }

    /// A session's place in one stream.
    struct Place {
        let key: StreamKey
        /// Up to where the client has been told; nil while the guild's snapshot is awaited.
        let position: StreamPosition?
        let visibility: ChannelVisibility?
    }

    /// Where the session stands in each stream.
    var places: [Place] {
        subscriptions.values.map { subscription in
            Place(
                key: subscription.key, position: loop.registry.position(of: subscription),
                visibility: subscription.visibility)
        }
    }

    /// What another node needs to go on from here, without the dispatches, of which it gets those after `sequence`.
    /// - Parameter reached: up to where streams have been seen at least, whatever their last event was.
    func state(after sequence: UInt64, reached: [StreamKey: StreamPosition]) -> SessionState {
        SessionState(
            moves: home?.moves ?? 0, lastSequence: ring.lastSequence, dispatchCount: ring.lastSequence - sequence,
            countsAsOffline: countsAsOffline, unavailableGuilds: Array(unavailableGuilds),
            presence: presence,
            places: places.map { place in
                SessionState.Place(
                    key: place.key, position: place.position.map { max($0, reached[place.key] ?? .none) },
                    visibility: place.visibility)
            },
            acknowledgements: acknowledgements,
            unroutedSends: unroutedSends.flatMap { channel, sends in
                sends.map { SessionState.UnroutedSend(channelID: channel, ticket: $0.ticket, body: $0.body) }
            },
            memberRequests: Array(memberRequests.values))
    }

    /// Takes over what another node knows of the session. Streams and open requests are taken up by the caller.
    func restore(_ state: SessionState, _ dispatches: [StreamEvent], at node: NodeID) {
        ring = ReplayRing(
            dispatches, upTo: state.lastSequence, maximumCount: ring.maximumCount, maximumCost: ring.maximumCost)
        home = SessionHome(node: node, moves: state.moves &+ 1)
        countsAsOffline = state.countsAsOffline
        unavailableGuilds = Set(state.unavailableGuilds)
        presence = state.presence
        acknowledgements = state.acknowledgements
    }

    func becameReady() { if phase == .opening { phase = .ready } }

    /// Leaves every stream; the session itself stays what it is.
    func leaveStreams() {
        for key in Array(subscriptions.keys) { unsubscribe(from: key) }
    }

    /// Leaves every stream. Nothing reaches the session afterwards.
    func end() {
        phase = .ended
        leaveStreams()
    }
}
