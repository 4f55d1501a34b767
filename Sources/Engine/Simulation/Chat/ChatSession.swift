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
    private var subscriptions: [StreamKey: Subscription] = [:]
    @exclusivity(unchecked) private(set) var phase = Phase.opening

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

    private var world: ChatWorld { node.world }

    // MARK: Opening

    /// Subscribes first, then takes the snapshots, then READY, then what came meanwhile (I6).
    func open() {
        let isWrong = world.bug == .snapshotBeforeRegistering
        if !isWrong { for guild in world.guilds { subscribe(to: guild) } }
        subscriptions[.user(userID)] = node.subscribe(self, to: .user(userID))
        takeAll { [self] snapshots in
            guard phase == .opening else { return }
            guard let snapshots else { return end(tellingClient: true) }
            if isWrong { for guild in world.guilds { subscribe(to: guild) } }
            phase = .ready
            let ready = StreamEvent(kind: .ready, body: [])
            let sequence = ring.append(ready)
            deliver { $0.opened(snapshots, sequence: sequence) }
            for guild in world.guilds {
                guard let subscription = subscriptions[guild.key], let snapshot = snapshots.guilds[guild.id] else {
                    continue
                }
                node.registry.becomeLive(subscription, at: snapshot.position, visibility: nil)
            }
            if let subscription = subscriptions[.user(userID)] {
                node.registry.becomeLive(subscription, at: snapshots.user.position, visibility: nil)
            }
        }
    }

    private func takeAll(_ completion: @escaping (ReadySnapshot?) -> Void) {
        take(world.guilds[...], [:]) { [self] guilds in
            guard let guilds else { return completion(nil) }
            takeUser { completion($0.map { ReadySnapshot(guilds: guilds, user: $0) }) }
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

    private func subscribe(to guild: ChatGuild) {
        subscriptions[guild.key] = node.subscribe(self, to: guild.key)
    }

    private func take(
        _ guilds: ArraySlice<ChatGuild>, _ snapshots: [GuildID: GuildSnapshot],
        _ completion: @escaping ([GuildID: GuildSnapshot]?) -> Void
    ) {
        guard let guild = guilds.first else { return completion(snapshots) }
        let ask = { [self] in
            guard phase == .opening else { return }
            node.call(guild.slot, deadline: .seconds(5)) {
                (owner: ChatNode, respond: @escaping (GuildSnapshot?) -> Void) in
                owner.owner(of: guild) { respond($0?.snapshot) }
            } _: { [self] snapshot in
                guard let snapshot else { return completion(nil) }
                take(guilds.dropFirst(), snapshots.merging([guild.id: snapshot]) { $1 }, completion)
            }
        }
        guard world.bug != .snapshotBeforeRegistering else { return ask() }
        node.relays.whenReady(guild.key) { isReady in isReady ? ask() : completion(nil) }
    }

    // MARK: Events

    func receive(_ event: StreamEvent) {
        guard phase != .ended else { return }
        let sequence = ring.append(event)
        client?.hear(connection, event, sequence: sequence)
    }

    func subscriptionEnded(_ key: StreamKey) {
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
        for guild in world.guilds { subscriptionEnded(guild.key) }
        subscriptionEnded(.user(userID))
        if tellingClient { deliver { $0.invalidated() } }
        client = nil
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
