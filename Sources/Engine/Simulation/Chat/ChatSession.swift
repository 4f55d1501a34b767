import FluxCore
import FluxRealtime

/// A session at its node: what `Session`, `SessionActor` and `LoopSessions` do around `SubscriptionRegistry` and `ReplayRing`.
final class ChatSession: StreamSubscriber {
    let number: Int
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
    /// What the user has joined and left while READY is put together.
    var lateNews: [(ChatSession) -> Void] = []

    enum Phase { case opening, ready, ended }

    init(number: Int, client: ChatClient, connection: Int, node: ChatNode) {
        self.number = number
        self.client = client
        self.connection = connection
        userID = client.userID
        self.node = node
        let limits = node.world.configuration
        ring = ReplayRing(maximumCount: limits.replayEvents, maximumCost: 1 << 20)
        node.sessions[number] = self
    }

    var world: ChatWorld { node.world }

    // MARK: Opening

    /// Subscribes first, then takes the snapshots, then READY, then what came meanwhile (I6).
    func open() {
        let isWrong = world.bug == .snapshotBeforeRegistering
        if !isWrong { for guild in world.guilds { subscribe(to: guild) } }
        take(world.guilds[...], [:]) { [self] snapshots in
            guard phase == .opening else { return snapshots.map(stopWatching) ?? () }
            guard let snapshots else { return end(tellingClient: true) }
            if isWrong { for guild in world.guilds where snapshots[guild.id] != nil { subscribe(to: guild) } }
            phase = .ready
            let ready = StreamEvent(kind: .ready, body: [])
            let sequence = ring.append(ready)
            deliver { $0.opened(snapshots, sequence: sequence) }
            for guild in world.guilds {
                guard let subscription = subscriptions[guild.key], let snapshot = snapshots[guild.id] else { continue }
                follow(subscription, from: snapshot)
            }
            hearLateNews()
        }
    }

    /// Begins to gather the events of a guild; false if the session has it already.
    @discardableResult
    func subscribe(to guild: ChatGuild) -> Bool {
        guard subscriptions[guild.key] == nil else { return false }
        subscriptions[guild.key] = node.subscribe(self, to: guild.key)
        return true
    }

    private func stopWatching(_ snapshots: [GuildID: GuildSnapshot]) {
        for guild in world.guilds where snapshots[guild.id] != nil { stopWatching(guild) }
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
                case .refused?:
                    if phase == .opening { subscriptionEnded(guild.key) }
                    take(guilds.dropFirst(), snapshots, completion)
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

    func subscriptionEnded(_ key: StreamKey) {
        if let subscription = subscriptions.removeValue(forKey: key) { node.unsubscribe(subscription) }
    }

    func perform(_ control: StreamControl) {}

    func subscriptionBroken(_ key: StreamKey) {
        if let broken = node.broken { broken.sessions.append(self) } else { end(tellingClient: true) }
    }

    private func deliver(_ body: @escaping (ChatClient) -> Void) { client?.hear(connection, body) }

    /// The client has everything up to a number.
    func acknowledge(_ sequence: UInt64) { ring.acknowledge(sequence) }

    // MARK: The connection

    /// The connection is gone; the session goes on receiving.
    func detach() {
        client = nil
        if phase == .opening { end(tellingClient: false) }
    }

    /// The client is back and has everything up to `sequence`; false if the session cannot be continued.
    func resume(_ client: ChatClient, connection: Int, after sequence: UInt64) -> Bool {
        guard phase == .ready, client.userID == userID, let missed = ring.dispatches(after: sequence) else {
            return false
        }
        ring.acknowledge(sequence)
        self.client = client
        self.connection = connection
        for dispatch in missed { client.hear(connection, dispatch.event, sequence: dispatch.sequence) }
        if world.bug == .deliveredTwiceAfterResume { for dispatch in missed { receive(dispatch.event) } }
        let resumed = ring.append(StreamEvent(kind: .resumed, body: []))
        deliver { $0.resumed(sequence: resumed) }
        return true
    }

    /// Ends the session. - Parameter tellingClient: the client has to begin anew.
    func end(tellingClient: Bool) {
        guard phase != .ended else { return }
        phase = .ended
        node.sessions[number] = nil
        lateNews = []
        for guild in world.guilds {
            if subscriptions[guild.key]?.visibility != nil { stopWatching(guild) }
            subscriptionEnded(guild.key)
        }
        if tellingClient { deliver { $0.invalidated() } }
        client = nil
    }
}
