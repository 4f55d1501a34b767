import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore

/// A whole cluster with its clients, on virtual time: nodes that share slots out (`ClusterWorld`) and own users, their
/// conversations, and guilds whose channels are written to, read, fanned out and followed through production's `Lane`,
/// `ChannelState`, `NonceTable`, `SnowflakeMinter`, `StreamPublisher`, `StreamSuccession`, `RelayHub`, `RelayLeases`,
/// `SubscriptionRegistry` and `ReplayRing`; who may see what comes from `GuildState`.
/// What is written anew here is what stands around them in production: threads, sockets, SQL.
///
/// The seed decides everything: the same world makes the same history, event by event.
///
/// `@unchecked Sendable` is sound because a world is made, run and dropped by one thread; closures that it hands to the engine's
/// values are called by these values, on that thread. For the same reason what nearly every event touches, here and in what
/// stands in the world, is `@exclusivity(unchecked)`: the checks cost a twentieth of the time.
final class ChatWorld: @unchecked Sendable {
    let configuration: SimulationConfiguration
    let bug: PlantedBug?

    @exclusivity(unchecked) var cluster: ClusterWorld
    @exclusivity(unchecked) var queue = EventQueue<ChatEvent>()
    @exclusivity(unchecked) var random: SplitMix64
    @exclusivity(unchecked) var nodes = NodeMap<ChatNode>()
    /// Processes that were.
    private var ended: [ChatNode] = []
    @exclusivity(unchecked) var clients: [ChatClient] = []
    @exclusivity(unchecked) var messages = MessageDatabase()
    @exclusivity(unchecked) var ledger = Ledger()
    @exclusivity(unchecked) var auditor: Auditor
    /// What Postgres keeps of the nodes' reserved ids.
    var highWater: [NodeID: Int64] = [:]
    /// How far each node's clock is off, in milliseconds.
    @exclusivity(unchecked) var clockOffsets: [NodeID: Int64] = [:]
    var faults = FaultState()
    @exclusivity(unchecked) var access: AccessRecord
    private(set) lazy var moderation = Moderation(world: self)
    /// Where something was swallowed on a link that lives: on a real one that cannot be for ever.
    private(set) var swallowed: Set<SimulatedNetwork.Direction> = []
    var lastSession: UInt64 = 0

    let guilds: [ChatGuild]
    let society: Society
    /// Where the channels are.
    let places: [ChannelID: ChatPlace]
    private let usedSlots: [Bool]
    @exclusivity(unchecked) private(set) var now: Duration = .zero
    @exclusivity(unchecked) private var endOfTurn: [Work] = []
    /// Room for the next news.
    @exclusivity(unchecked) private var emptyNews: [ClusterWorld.NodeNews] = []
    /// Room for the next turn's.
    @exclusivity(unchecked) private var emptyTurn: [Work] = []

    /// A closure in an array has to be wrapped in another one; not one in a value.
    private struct Work {
        let perform: () -> Void
    }

    init(seed: UInt64, configuration: SimulationConfiguration, bug: PlantedBug?, isTraced: Bool) {
        self.configuration = configuration
        self.bug = bug
        random = SplitMix64(seed: seed &* 0x2545_F491_4F6C_DD1D &+ 1)
        auditor = Auditor(isTraced: isTraced)
        access = AccessRecord(clients: configuration.clients)
        var guilds: [ChatGuild] = []
        for number in 0..<configuration.guilds {
            let id = GuildID(UInt64(1_000 + number) << 22)
            let channels = (1...configuration.channelsPerGuild).map {
                ChannelID((UInt64(1_000 + number) << 22) + UInt64($0))
            }
            guilds.append(ChatGuild(id: id, channels: channels))
        }
        self.guilds = guilds
        let society = Society(size: configuration.clients)
        self.society = society
        let accounts =
            [User(id: ChatGuild.ownerID, username: "owner")] + society.users.compactMap { society.accounts[$0] }
        for guild in guilds {
            messages.guilds.found(
                guild.founded(with: accounts, at: Timestamp(milliseconds: Self.beginning)), users: accounts)
        }
        var slots = [Bool](repeating: false, count: Slot.count)
        var places: [ChannelID: ChatPlace] = [:]
        for guild in guilds {
            for channel in guild.channels { places[channel] = .guild(guild) }
        }
        for direct in society.directs { places[direct.id] = .direct(direct) }
        self.places = places
        for slot in places.values.map(\.slot) + society.users.map(Slot.init(of:)) { slots[Int(slot.rawValue)] = true }
        usedSlots = slots
        cluster = ClusterWorld(nodes: configuration.nodes, seed: seed, ownsSlots: true, carriesMessages: true)
        cluster.database.notesLosses = true
        cluster.database.isFenced = bug != .noFencing
        cluster.database.countsVotesOfTheDead = bug == .votesOfTheDead
        hearNews()
    }

    /// Lets go of everything, so that what refers to one another is freed.
    func dismantle() {
        for node in ended + nodes.all { node.dismantle() }
        ended = []
        queue = EventQueue()
        clients = []
        nodes = NodeMap()
    }

    // MARK: Time

    /// Lets everything up to `end` happen, or until the condition holds.
    func run(until end: Duration, orUntil condition: (() -> Bool)? = nil) {
        var askAt = now
        let last = end.attoseconds
        while true {
            if let condition, now >= askAt {
                if condition() { return }
                askAt = now + .milliseconds(100)
            }
            let (slots, chat) = (cluster.queue.nextMoment, queue.nextMoment)
            guard min(slots, chat) <= last, auditor.violations.isEmpty else {
                now = end
                return
            }
            if slots <= chat {
                now = Duration(attoseconds: slots)
                _ = cluster.step(until: now)
                hearNews()
            } else if let event = queue.next(until: end) {
                now = queue.now
                event.happen()
            }
            endTurn()
        }
    }

    /// Runs once what happens now has happened.
    func atEndOfTurn(_ work: @escaping () -> Void) { endOfTurn.append(Work(perform: work)) }

    private func endTurn() {
        while !endOfTurn.isEmpty {
            swap(&endOfTurn, &emptyTurn)
            for work in emptyTurn { work.perform() }
            emptyTurn.removeAll(keepingCapacity: true)
        }
    }

    /// Lets something happen in the world, whatever becomes of the nodes.
    func after(_ wait: Duration, _ work: @escaping () -> Void) { queue.schedule(.work(work), at: now + wait) }

    /// Lets something happen on a node's process: later if it is paused, never if it has ended.
    func after(_ wait: Duration, on node: ChatNode, _ work: @escaping () -> Void) {
        queue.schedule(.onNode(node, work), at: now + wait)
    }

    func milliseconds(_ range: ClosedRange<Double>) -> Duration {
        .microseconds(Int64(Double.random(in: range, using: &random) * 1000))
    }

    func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }

    func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &random)]
    }

    /// Whether anything lives in the slot.
    func isUsed(_ slot: Slot) -> Bool { usedSlots[Int(slot.rawValue)] }

    /// Whether somebody has owned the channel since this epoch.
    func isOver(_ epoch: Epoch, of channel: ChannelID) -> Bool {
        places[channel].flatMap { cluster.database.lease(of: $0.slot) }.map { $0.epoch > epoch } ?? false
    }

    /// The wall clock of a node, in milliseconds since 1970.
    func wallClock(of node: NodeID) -> Int64 {
        Self.beginning + Int64(now.inMilliseconds) + (clockOffsets[node] ?? 0)
    }

    static let beginning: Int64 = 1_800_000_000_000

    // MARK: The network

    /// Carries something to another node's process, in order, unless the way is cut. What is on its way to a process that ends
    /// is lost.
    func send(from node: ChatNode, to peer: NodeID, _ work: @escaping (ChatNode) -> Void) {
        guard let target = nodes[peer], target.isRunning else { return }
        guard let arrival = cluster.network.arrival(from: node.id, to: peer, at: now, using: &random) else {
            swallowed.insert(SimulatedNetwork.Direction(from: node.id, to: peer))
            return
        }
        queue.schedule(.arrival(target, work), at: arrival)
    }

    // MARK: The cluster

    /// Does something to the cluster now.
    func change(_ body: (inout ClusterWorld) -> Void) {
        cluster.queue.advance(to: now)
        body(&cluster)
        atEndOfTurn { [self] in hearNews() }
    }

    private func hearNews() {
        while !cluster.news.isEmpty {
            swap(&cluster.news, &emptyNews)
            for item in emptyNews { hear(item) }
            emptyNews.removeAll(keepingCapacity: true)
        }
        if !cluster.wire.misreadings.isEmpty {
            for text in cluster.wire.takeMisreadings() { auditor.violate(now, "I10: \(text)") }
        }
        guard !cluster.database.losses.isEmpty else { return }
        for loss in cluster.database.losses { auditor.check(loss, at: now) }
        cluster.database.losses.removeAll(keepingCapacity: true)
    }

    private func hear(_ item: ClusterWorld.NodeNews) {
        if case .started = item.event { return start(item.node) }
        guard let node = nodes[item.node], node.isRunning else { return }
        switch item.event {
        case .started: break
        case .ended: end(node)
        case .stopped: node.isPaused = true
        case .goesOn: node.goOn()
        case .linkLost(let peer):
            swallowed.remove(SimulatedNetwork.Direction(from: peer, to: item.node))
            node.linkLost(to: peer)
        case .takenUp(let slots): node.takeUp(slots)
        case .givenUp(let slots): node.giveUp(slots)
        case .paused(let slot, let epoch): node.pause(slot, epoch)
        case .resumed(let slot, _): node.resume(slot)
        case .leaving(let slot, let epoch, let successor): node.leave(slot, epoch, to: successor)
        case .copyDropped(let slot): node.memories.drop(slot)
        case .sentOn(let slot, let successor, let epoch): node.sendOn(slot, to: successor, epoch)
        case .learned(let routes): node.learn(routes)
        case .sessionsEnded, .drained: node.sendClientsAway()
        case .unready(let reason, let isSo):
            auditor.trace(now, "node \(item.node) is \(isSo ? "unfit" : "no longer unfit"): \(reason)")
        }
    }

    private func start(_ id: NodeID) {
        guard let identity = cluster.machine(of: id)?.identity else { return }
        let floor = highWater[id] ?? 0
        let reserved = max(floor, wallClock(of: id)) + ChatNode.reservation
        highWater[id] = reserved
        auditor.trace(now, "node \(id) starts as \(identity.incarnation)")
        let node = ChatNode(
            identity, world: self,
            minter: SnowflakeMinter(node: id.rawValue, floorMilliseconds: floor, highWaterMilliseconds: reserved))
        nodes[id] = node
        node.begin()
    }

    private func end(_ node: ChatNode) {
        auditor.trace(now, "node \(node.id) ends")
        node.end()
        ended.append(node)
        for client in clients where client.session?.node === node { client.connectionLost() }
    }

    // MARK: Postgres

    func reachesDatabase(_ node: ChatNode) -> Bool { cluster.reachesDatabase(node.id) }

    /// Reads from Postgres as it is when the question arrives; nil when there was no answer.
    func read<Value>(
        for node: ChatNode, _ question: @escaping (MessageDatabase) -> Value, _ completion: @escaping (Value?) -> Void
    ) {
        after(milliseconds(0.2...2)) { [self] in
            guard reachesDatabase(node) else {
                return after(.seconds(2), on: node) { completion(nil) }
            }
            let value = question(messages)
            after(milliseconds(0.3...3), on: node) { completion(value) }
        }
    }
}

/// A guild and its channels, which all live in one slot.
struct ChatGuild {
    let id: GuildID
    let channels: [ChannelID]
    let slot: Slot

    init(id: GuildID, channels: [ChannelID]) {
        self.id = id
        self.channels = channels
        slot = StreamKey.guild(id).slot
    }

    var key: StreamKey { .guild(id) }
}

extension Duration {
    /// Whole milliseconds.
    ///
    /// There are 2^15 · 5^15 attoseconds in one: shifted first, what a world can last takes 64 bits to divide, not 128.
    var inMilliseconds: UInt64 { UInt64(truncatingIfNeeded: attoseconds >> 15) / 30_517_578_125 }
}
