import FluxCore
import FluxRealtime

/// A session at its node: what `Session`, `SessionActor` and `LoopSessions` do around `SubscriptionRegistry` and `ReplayRing`.
final class ChatSession: StreamSubscriber {
    let key: SessionKey
    let userID: UserID
    let node: ChatNode
    @exclusivity(unchecked) private var ring: ReplayRing
    /// The connection; nil while the session waits for its client, which lives as long as the world.
    @exclusivity(unchecked) private(set) unowned(unsafe) var client: ChatClient?
    /// Which of the client's connections it is: what is sent over an earlier one does not arrive.
    @exclusivity(unchecked) private var connection = 0
    private(set) var subscriptions: [StreamKey: Subscription] = [:]
    @exclusivity(unchecked) private(set) var phase = Phase.opening
    /// When each guild's events began to follow.
    var liveSince: [StreamKey: Duration] = [:]
    /// Whether it has not come from another node yet.
    private(set) var isOnItsWay = false
    /// Guilds that the client was told are gone, in doubt: their present owner has not confirmed it yet.
    var doubtedLosses: Set<GuildID> = []
    /// What the user has joined and left while READY is put together, or the session is on its way.
    var lateNews: [(ChatSession) -> Void] = []
    /// Another node is taking the session.
    var departure: SessionDeparture?
    /// The session came from another node, which has not let go of it yet: nothing of it may reach the client.
    var claim: SessionClaim?
    /// Since when it waits for its client, in milliseconds of the node's clock.
    private var detachedSince: UInt64 = 0

    enum Phase { case opening, ready, ended }

    /// How long a session waits for its client, in milliseconds.
    static let patience: UInt64 = 60_000

    init(_ key: SessionKey, client: ChatClient, connection: Int, node: ChatNode) {
        self.key = key
        self.client = client
        self.connection = connection
        userID = client.userID
        self.node = node
        ring = Self.ring(of: node)
        node.sessions[key] = self
    }

    /// The place of a session that is on its way from another node.
    init(arriving key: SessionKey, of userID: UserID, node: ChatNode) {
        self.key = key
        self.userID = userID
        self.node = node
        ring = Self.ring(of: node)
        phase = .ready
        isOnItsWay = true
    }

    private static func ring(of node: ChatNode) -> ReplayRing {
        ReplayRing(maximumCount: node.world.configuration.replayEvents, maximumCost: 1 << 20)
    }

    var world: ChatWorld { node.world }
    /// A number that no other session has.
    var number: UInt64 { key.rawValue }

    // MARK: Opening

    /// Subscribes first, then takes the snapshots, then READY, then what came meanwhile (I6).
    func open() {
        let isWrong = world.bug == .snapshotBeforeRegistering
        let guilds = guilds
        if !isWrong { for guild in guilds { subscribe(to: guild.key) } }
        subscribe(to: .user(userID))
        takeAll(guilds) { [self] snapshots in
            guard phase == .opening else {
                if let snapshots { stopWatching(snapshots.guilds) }
                return
            }
            guard let snapshots else { return end(tellingClient: true) }
            if isWrong { for guild in guilds where snapshots.guilds[guild.id] != nil { subscribe(to: guild.key) } }
            phase = .ready
            let ready = StreamEvent(kind: .ready, body: [])
            let sequence = ring.append(ready)
            deliver { $0.opened(snapshots, sequence: sequence) }
            for guild in guilds {
                guard let subscription = subscriptions[guild.key] else { continue }
                if let snapshot = snapshots.guilds[guild.id] {
                    follow(subscription, from: snapshot)
                } else {
                    openLater(guild, subscription)
                }
            }
            if let subscription = subscriptions[.user(userID)] {
                node.registry.becomeLive(subscription, at: snapshots.user.position, visibility: nil)
            }
            hearLateNews()
        }
    }

    private func takeAll(_ guilds: [ChatGuild], _ completion: @escaping (ReadySnapshot?) -> Void) {
        take(guilds[...], [:]) { [self] guilds in
            guard let guilds else { return completion(nil) }
            takeUser { [self] user in
                if user == nil { stopWatching(guilds) }
                completion(user.map { ReadySnapshot(guilds: guilds, user: $0) })
            }
        }
    }

    private func takeUser(_ completion: @escaping (UserSnapshot?) -> Void) {
        let userID = userID
        node.relays.whenReady(.user(userID)) { [self] isReady in
            guard isReady, phase == .opening else { return completion(nil) }
            node.call(Slot(of: userID), deadline: .seconds(5)) {
                (owner: ChatNode, respond: @escaping (UserSnapshot?) -> Void) in
                owner.user(userID) { owner in
                    if let owner { owner.open(respond) } else { respond(nil) }
                }
            } _: {
                completion($0)
            }
        }
    }

    /// Begins to gather the events of a stream; false if the session has it already.
    @discardableResult
    func subscribe(to key: StreamKey) -> Bool {
        guard subscriptions[key] == nil else { return false }
        subscriptions[key] = node.subscribe(self, to: key)
        return true
    }

    private func stopWatching(_ snapshots: [GuildID: GuildSnapshot]) {
        for guild in world.guilds where snapshots[guild.id] != nil { stopWatching(guild.key) }
    }

    private func take(
        _ guilds: ArraySlice<ChatGuild>, _ snapshots: [GuildID: GuildSnapshot],
        _ completion: @escaping ([GuildID: GuildSnapshot]?) -> Void
    ) {
        guard let guild = guilds.first else { return completion(snapshots) }
        let ask = { [self] in
            guard phase == .opening else { return }
            self.ask(guild) { [self] answer in
                switch answer {
                case nil: completion(nil)
                case .refused?: take(guilds.dropFirst(), snapshots, completion)
                case .opened(let snapshot)?:
                    take(guilds.dropFirst(), snapshots.merging([guild.id: snapshot]) { $1 }, completion)
                }
            }
        }
        guard world.bug != .snapshotBeforeRegistering else { return ask() }
        node.relays.whenReady(guild.key) { isReady in isReady ? ask() : completion(nil) }
    }

    // MARK: Events

    func receive(_ event: StreamEvent) {
        guard phase != .ended else { return }
        checkMayBeSeen(event)
        let sequence = ring.append(event)
        client?.hear(connection, event, sequence: sequence)
    }

    func subscriptionEnded(_ key: StreamKey, isInDoubt: Bool) {
        unsubscribe(from: key)
        guard isInDoubt, let guild = world.guilds.first(where: { $0.key == key }) else { return }
        doubtedLosses.insert(guild.id)
        world.after(.zero, on: node) { [self] in askAgain(guild) }
    }

    func unsubscribe(from key: StreamKey) {
        if let subscription = subscriptions.removeValue(forKey: key) { node.unsubscribe(subscription) }
    }

    func perform(_ control: StreamControl) {
        if case .broken = control { end(tellingClient: true) }
    }

    func subscriptionBroken(_ key: StreamKey) {
        if let broken = node.broken { broken.sessions.append(self) } else { end(tellingClient: true) }
    }

    private func deliver(_ body: @escaping (ChatClient) -> Void) { client?.hear(connection, body) }

    /// The client has everything up to a number.
    func acknowledge(_ sequence: UInt64) { ring.acknowledge(sequence) }

    // MARK: The connection

    /// The connection is gone; the session goes on receiving.
    func detach() {
        guard client != nil else { return }
        client = nil
        detachedSince = node.now
        if phase == .opening { end(tellingClient: false) }
    }

    /// The client is said to have come to another node: if it is here still, its connection is closed.
    func clientLeft() {
        deliver { $0.toldToReconnect(after: .zero) }
        detach()
    }

    /// One of its connections is gone.
    func detach(_ connection: Int) { if connection == self.connection { detach() } }

    /// Whether all that comes after `sequence` is held, and the session is this user's.
    func reaches(back sequence: UInt64, of userID: UserID) -> Bool {
        self.userID == userID && ring.dispatches(after: sequence) != nil
    }

    /// How many dispatches it keeps.
    var ringCount: Int { ring.count }

    /// The number after which everything is held.
    var oldestHeld: UInt64 { ring.lastSequence - UInt64(ring.count) }

    /// The client is back and has everything up to `sequence`.
    func resume(_ client: ChatClient, connection: Int, after sequence: UInt64) {
        guard let missed = ring.dispatches(after: sequence) else { return }
        // A node that was about to take it comes too late.
        departure = nil
        ring.acknowledge(sequence)
        self.client = client
        self.connection = connection
        client.attached(to: self)
        for dispatch in missed { client.hear(connection, dispatch.event, sequence: dispatch.sequence) }
        if world.bug == .deliveredTwiceAfterResume { for dispatch in missed { receive(dispatch.event) } }
        let resumed = ring.append(StreamEvent(kind: .resumed, body: []))
        deliver { $0.resumed(sequence: resumed) }
    }

    /// Ends a session whose client has not come back.
    func sweep() {
        if client == nil, claim == nil, node.now >= detachedSince + Self.patience { end(tellingClient: false) }
    }

    /// Ends the session. - Parameter tellingClient: the client has to begin anew.
    func end(tellingClient: Bool) {
        guard phase != .ended else { return }
        phase = .ended
        if node.sessions[key] === self { node.sessions[key] = nil }
        lateNews = []
        for guild in world.guilds where subscriptions[guild.key]?.visibility != nil { stopWatching(guild.key) }
        for key in subscriptions.keys.sorted(by: { $0.id < $1.id }) { unsubscribe(from: key) }
        if let claim { node.ended(claim) }
        claim = nil
        if tellingClient { deliver { $0.invalidated() } }
        client = nil
    }
}

// MARK: Moving between nodes

extension ChatSession {
    /// Where the session stands in each stream.
    var places: [FrozenSession.Place] {
        subscriptions.keys.sorted { $0.id < $1.id }.compactMap { key in
            guard let subscription = subscriptions[key], let position = node.registry.position(of: subscription) else {
                return nil
            }
            return FrozenSession.Place(key: key, position: position, visibility: subscription.visibility)
        }
    }

    /// What another node needs to go on from here; nil if the ring does not reach back so far.
    /// - Parameter reached: up to where streams have been seen at least, whatever their last event was.
    func state(after sequence: UInt64, reached: [StreamKey: StreamPosition]) -> FrozenSession? {
        guard let missed = ring.dispatches(after: sequence) else { return nil }
        return FrozenSession(
            places: places.map { place in
                FrozenSession.Place(
                    key: place.key, position: max(place.position, reached[place.key] ?? .none),
                    visibility: place.visibility)
            },
            joining: world.guilds.filter { guild in
                subscriptions[guild.key].map { node.registry.position(of: $0) == nil } ?? false
            }, lastSequence: ring.lastSequence, missed: missed.map(\.event))
    }

    /// Goes on from what another node knows of the session, unseen, until that has let go of it.
    func restore(_ state: FrozenSession, claim: SessionClaim) {
        ring = ReplayRing(
            state.missed, upTo: state.lastSequence, maximumCount: ring.maximumCount, maximumCost: ring.maximumCost)
        self.claim = claim
        node.sessions[key] = self
        detachedSince = node.now
        let followed = Set(state.places.map(\.key))
        for key in subscriptions.keys.sorted(by: { $0.id < $1.id }) where !followed.contains(key) {
            unsubscribe(from: key)
            stopWatching(key)
        }
        for place in state.places {
            guard let subscription = subscriptions[place.key] else { continue }
            liveSince[place.key] = world.now
            node.registry.becomeLive(subscription, at: place.position, visibility: place.visibility)
        }
        isOnItsWay = false
        for guild in state.joining { join(guild) }
        hearLateNews()
    }

    /// Its former holder has let go.
    func isSettled() {
        claim = nil
        detachedSince = node.now
        compareGuilds()
    }
}

/// What a client is told when its session opens.
struct ReadySnapshot {
    let guilds: [GuildID: GuildSnapshot]
    let user: UserSnapshot

    /// Where a channel stands, as far as this says.
    func head(of channel: ChannelID) -> (sequence: SequenceNumber, epoch: Epoch) {
        if let direct = user.heads[channel] { return (direct.lastSequence, direct.epoch) }
        let head = guilds.values.lazy.compactMap { $0.heads[channel] }.first
        return (head?.sequence ?? 0, head?.epoch ?? 0)
    }
}
