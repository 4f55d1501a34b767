import FluxCluster
import FluxCore

/// Nodes that look after each other through production's `Membership` and, if asked for, share the slots out among them
/// through production's `SlotKeeper`, on virtual time, with faults.
///
/// A seed decides everything: the same calls on a world with the same seed give the same history.
public struct ClusterWorld: Sendable {
    /// How a node ends.
    public enum Death: Sendable {
        /// The process: its host lives and refuses connections.
        case process
        /// The host: nothing answers any more.
        case host
    }

    /// A belief that changed.
    public struct Observation: Sendable {
        /// When.
        public let time: Duration
        /// Whose belief.
        public let observer: NodeID
        /// Which belief.
        public let change: MemberChange
    }

    /// Something that concerns what a node does with its slots.
    struct NodeNews: Sendable {
        enum Event: Sendable {
            case started
            case ended
            case stopped
            case goesOn
            case linkLost(to: NodeID)
            case takenUp([Slot: Epoch])
            case givenUp([Slot: Epoch])
            case paused(Slot, Epoch)
            case resumed(Slot, Epoch)
            /// What is known of the slot and not stored is to be sent to its next owner.
            case leaving(Slot, Epoch, to: NodeID)
            /// That is of no use here any more.
            case copyDropped(Slot)
            case sentOn(Slot, to: NodeID, Epoch)
            case learned([Route])
            case sessionsEnded
            case drained
            /// It is unfit for this reason, or no more.
            case unready(UnreadyReason, Bool)
        }

        let node: NodeID
        let event: Event
    }

    enum Event: Sendable {
        case wakeUp(NodeID, process: Int)
        case message(MembershipMessage, from: NodeID, to: NodeID, process: Int)
        case linkMade(NodeID, to: NodeID, process: Int)
        case linkLost(NodeID, to: NodeID, process: Int)
        /// Nothing has come over a link for so long that it counts as lost, unless it was made anew meanwhile.
        case linkSilent(NodeID, to: NodeID, process: Int)
        case linkRefused(NodeID, by: NodeID, process: Int)
        case readMembers(NodeID, process: Int)
        case connect(Pair, attempt: Int)
        case keeperWakeUp(NodeID, process: Int)
        case slotMessage(SlotMessage, from: NodeID, to: NodeID, process: Int)
        case heartbeat(NodeID, process: Int)
        case statement(Statement, of: NodeID, process: Int)
        case outcome(Outcome, of: NodeID, process: Int)
        case resume(NodeID)
        /// The end of a transaction whose node was cut off in the middle of it.
        case lateStatement(Statement, of: NodeIdentity)
    }

    /// Two nodes whose transports try to connect.
    struct Pair: Hashable, Sendable {
        let lower: NodeID
        let higher: NodeID

        init(_ one: NodeID, _ other: NodeID) {
            lower = min(one, other)
            higher = max(one, other)
        }
    }

    struct Node: Sendable {
        var machine: Membership
        var keeper: SlotKeeper?
        /// Counts the processes of the world: what was meant for an earlier one is dropped.
        var process: Int
        var isRunning = true
        /// How it ended.
        var death = Death.process
        var isPaused = false
        /// What happened to it during its pause.
        var backlog: [Event] = []
        var wakeUpAt: Duration?
        /// When the keeper has to be woken: to ask it means to copy it.
        var keeperDue: Duration?
        var keeperWakeUpAt: Duration?
    }

    /// How long the transport waits for a host that is silent until it gives up a connection.
    public static let silenceLimit = Duration.seconds(8)
    /// How soon it tries again after a connection broke or could not be made.
    public static let reconnect = Duration.milliseconds(100)

    /// Delays, losses and cuts.
    public var network = SimulatedNetwork()
    /// What changed, in order.
    public private(set) var observations: [Observation] = []
    /// How many messages were sent.
    public private(set) var messageCount = 0

    /// Postgres.
    public internal(set) var database = LeaseDatabase()
    /// Nodes whose statements do not reach Postgres.
    public internal(set) var cutFromDatabase: Set<NodeID> = []
    /// The share of Postgres's answers to keepers that are lost, after it has done what was asked.
    public var answerLoss = 0.0
    /// What the keepers did to their slots, by kind.
    public internal(set) var slotCounts = SlotCounts()

    /// Whether something stands on the slots that does the rest: it takes `news`, and answers what is asked there.
    let carriesMessages: Bool
    var news: [NodeNews] = []

    var queue = EventQueue<Event>()
    /// Two builds that take part in one cluster.
    var wire = MixedWire()
    var random: SplitMix64
    var nodes = NodeMap<Node>()
    private var rows: [NodeID: ClusterMember] = [:]
    private var members: [ClusterMember] = []
    private var processes = 0
    /// By pair: which attempt to connect is the latest.
    private var attempts: [Pair: Int] = [:]
    /// Links whose one end is dead and whose other end has not noticed: from the dead one to the other.
    private var silent: Set<SimulatedNetwork.Direction> = []
    private let configuration: MembershipConfiguration
    private let ownsSlots: Bool

    /// `count` nodes, numbered from 1, that have just started.
    public init(
        nodes count: Int, seed: UInt64, ownsSlots: Bool = false,
        configuration: MembershipConfiguration = MembershipConfiguration()
    ) {
        self.init(
            nodes: count, seed: seed, ownsSlots: ownsSlots, carriesMessages: false, configuration: configuration)
    }

    init(
        nodes count: Int, seed: UInt64, ownsSlots: Bool, carriesMessages: Bool,
        configuration: MembershipConfiguration = MembershipConfiguration()
    ) {
        self.ownsSlots = ownsSlots
        self.carriesMessages = carriesMessages
        random = SplitMix64(seed: seed)
        self.configuration = configuration
        for number in 1...UInt16(max(1, min(count, NodeID.count - 1))) {
            guard let id = NodeID(rawValue: number) else { continue }
            start(id)
        }
    }

    // MARK: Asking

    /// The moment that has been reached.
    public var now: Duration { queue.now }
    /// All nodes, in growing order.
    public var nodeIDs: [NodeID] { nodes.ids }
    /// Those whose process runs.
    public var running: [NodeID] { nodes.ids.filter { nodes.isRunning($0) } }

    /// A node's state.
    public func machine(of node: NodeID) -> Membership? { nodes[node]?.machine }

    /// Whether a node does not count another one among the living.
    func isOver(_ subject: NodeID, at observer: NodeID) -> Bool {
        nodes[observer].map { !$0.machine.view.living.contains(subject) } ?? false
    }

    /// Whether every running node holds exactly the running nodes alive.
    public var isAgreed: Bool {
        running.allSatisfy { observer in
            nodeIDs.allSatisfy { subject in
                (nodes[observer]?.machine.health(of: subject) == .alive) == (nodes[subject]?.isRunning == true)
            }
        }
    }

    // MARK: Time

    /// Lets so much time pass.
    public mutating func run(for time: Duration) {
        let end = queue.now + time
        while let event = queue.next(until: end) { happen(event) }
    }

    /// Lets time pass until the condition holds, asking after every event, or only every `step`; false when it did not
    /// hold within `limit`.
    public mutating func run(
        atMost limit: Duration, every step: Duration = .zero, until condition: (borrowing ClusterWorld) -> Bool
    ) -> Bool {
        let end = queue.now + limit
        var askAt = queue.now
        while true {
            if queue.now >= askAt {
                if condition(self) { return true }
                askAt = queue.now + step
            }
            guard let event = queue.next(until: end) else { return condition(self) }
            happen(event)
        }
    }

    /// When the next event happens.
    var nextTime: Duration? { queue.nextTime }

    /// Lets the next event happen, if there is one up to then; false if not.
    mutating func step(until end: Duration) -> Bool {
        guard let event = queue.next(until: end) else { return false }
        happen(event)
        return true
    }

    // MARK: Faults

    /// Starts the node, under a new incarnation if it ran before.
    public mutating func start(_ id: NodeID) {
        guard nodes[id]?.isRunning != true else { return }
        processes += 1
        let identity = NodeIdentity(
            name: "node-\(id)", id: id, incarnation: database.register(id, at: queue.now))
        rows[id] = ClusterMember(identity: identity, address: "node-\(id):7400")
        members = rows.values.sorted { $0.identity.id < $1.identity.id }
        nodes[id] = Node(
            machine: Membership(
                identity: identity, configuration: configuration, seed: random.next(), at: queue.now),
            process: processes)
        if carriesMessages { news.append(NodeNews(node: id, event: .started)) }
        if ownsSlots { startKeeper(of: id) }
        for node in running {
            // The node itself reads the rows as it starts; the others within a second.
            let wait: Duration = node == id ? .zero : .seconds(Double.random(in: 0...1, using: &random))
            schedule(after: wait, on: node) { .readMembers(node, process: $0) }
            guard node != id else { continue }
            connect(id, node)
        }
        wakeUp(id)
    }

    /// Ends the node's process without a word.
    public mutating func kill(_ id: NodeID, _ death: Death) {
        guard nodes[id]?.isRunning == true else { return }
        nodes[id]?.isRunning = false
        nodes[id]?.isPaused = false
        nodes[id]?.death = death
        if carriesMessages { news.append(NodeNews(node: id, event: .ended)) }
        for node in running {
            let isHeard = death == .process && !network.isCut(from: id, to: node)
            let wait = isHeard ? Duration.milliseconds(1) : Self.silenceLimit
            if isHeard {
                schedule(after: wait, on: node) { .linkLost(node, to: id, process: $0) }
            } else {
                silent.insert(SimulatedNetwork.Direction(from: id, to: node))
                schedule(after: wait, on: node) { .linkSilent(node, to: id, process: $0) }
            }
            connect(id, node, after: wait + Self.reconnect)
        }
    }

    /// Stops the process for a while; what is sent to it waits.
    public mutating func pause(_ id: NodeID, for time: Duration) {
        guard nodes.isRunning(id), !nodes.isPaused(id) else { return }
        nodes[id]?.isPaused = true
        if carriesMessages { news.append(NodeNews(node: id, event: .stopped)) }
        queue.schedule(.resume(id), at: queue.now + time)
    }

    /// The node leaves in good order.
    public mutating func leave(_ id: NodeID) {
        guard nodes.isRunning(id) else { return }
        perform(nodes[id]?.machine.leave(at: queue.now) ?? [], of: id)
        database.leave(id)
        kill(id, .process)
    }

    /// Breaks the connection between two nodes; their transports make it anew if they can.
    public mutating func breakLink(_ first: NodeID, _ second: NodeID) {
        schedule(after: .zero, on: first) { .linkLost(first, to: second, process: $0) }
        schedule(after: .zero, on: second) { .linkLost(second, to: first, process: $0) }
        connect(first, second)
    }

    // MARK: Machinery

    mutating func schedule(after wait: Duration, on node: NodeID, _ event: (Int) -> Event) {
        guard let process = nodes.process(of: node) else { return }
        queue.schedule(event(process), at: queue.now + wait)
    }

    /// The transports of the two begin to try, until they are connected or none of them runs.
    private mutating func connect(_ first: NodeID, _ second: NodeID, after wait: Duration? = nil) {
        let pair = Pair(first, second)
        let attempt = (attempts[pair] ?? 0) + 1
        attempts[pair] = attempt
        let wait = wait ?? .milliseconds(Int.random(in: 1...50, using: &random))
        queue.schedule(.connect(pair, attempt: attempt), at: queue.now + wait)
    }

    private mutating func tryToConnect(_ pair: Pair) {
        guard let lower = nodes[pair.lower], let higher = nodes[pair.higher] else { return }
        let ends = [(pair.lower, pair.higher, higher), (pair.higher, pair.lower, lower)]
        if network.isCut(from: pair.lower, to: pair.higher) || network.isCut(from: pair.higher, to: pair.lower) {
            return connect(pair.lower, pair.higher, after: Self.reconnect * 5)
        }
        guard lower.isRunning, higher.isRunning else {
            for (node, peer, other) in ends where nodes[node]?.isRunning == true {
                if other.death == .process {
                    schedule(after: .zero, on: node) { .linkRefused(node, by: peer, process: $0) }
                }
                connect(node, peer, after: Self.reconnect * 5)
            }
            return
        }
        for (node, peer, _) in ends {
            // A new link takes the place of one of which nobody has noticed yet that it is dead.
            if silent.remove(SimulatedNetwork.Direction(from: peer, to: node)) != nil {
                schedule(after: .zero, on: node) { .linkLost(node, to: peer, process: $0) }
            }
            schedule(after: .zero, on: node) { .linkMade(node, to: peer, process: $0) }
        }
    }

    private mutating func happen(_ event: Event) {
        if case .connect(let pair, let attempt) = event {
            guard attempts[pair] == attempt else { return }
            return tryToConnect(pair)
        }
        if case .lateStatement(let statement, let identity) = event { return goOn(with: statement, of: identity) }
        guard let (id, process) = event.target else { return }
        guard let process else { return resume(id) }
        guard nodes.isRunning(id, process) else { return }
        if case .statement(let statement, _, _) = event { return execute(statement, of: id, process: process) }
        guard !nodes.isPaused(id) else {
            switch event {
            case .wakeUp, .keeperWakeUp: break
            default: nodes.change(id) { $0.backlog.append(event) }
            }
            return
        }
        let now = queue.now
        let actions: [Membership.Action]?
        switch event {
        case .wakeUp:
            guard let time = nodes.wakeUp(of: id).due, time <= now else { return wakeUp(id) }
            actions = nodes.change(id) { $0.machine.advance(to: now) }
        case .message(let message, let source, _, _):
            actions = nodes.change(id) { $0.machine.received(message, from: source, at: now) }
        case .linkMade(_, let peer, _):
            guard nodes.isRunning(peer), let identity = nodes.identity(of: peer) else { return }
            actions = nodes.change(id) { $0.machine.linkMade(to: identity, at: now) }
        case .linkSilent(_, let peer, _):
            guard silent.remove(SimulatedNetwork.Direction(from: peer, to: id)) != nil else { return }
            return happen(.linkLost(id, to: peer, process: process))
        case .linkLost(_, let peer, _):
            actions = nodes.change(id) { $0.machine.linkLost(to: peer, at: now) }
            if carriesMessages { news.append(NodeNews(node: id, event: .linkLost(to: peer))) }
        case .linkRefused(_, let peer, _):
            actions = nodes.change(id) { $0.machine.linkRefused(by: peer, at: now) }
        case .readMembers:
            actions = nodes.change(id) { $0.machine.learned(members, at: now) }
        case .keeperWakeUp, .slotMessage, .heartbeat, .outcome:
            return happenToKeeper(event, of: id)
        case .resume, .connect, .statement, .lateStatement:
            return
        }
        perform(actions ?? [], of: id)
        wakeUp(id)
    }

    mutating func perform(_ actions: [Membership.Action], of id: NodeID) {
        var hasNews = false
        for action in actions {
            switch action {
            case .send(let message, let target):
                messageCount += 1
                guard let process = nodes.process(of: target),
                    let arrival = network.arrival(from: id, to: target, at: queue.now, using: &random)
                else { continue }
                let heard = wire.carry(message, from: id)
                queue.schedule(.message(heard, from: id, to: target, process: process), at: arrival)
            case .changed(let change):
                observations.append(Observation(time: queue.now, observer: id, change: change))
                hasNews = true
            case .readMembers:
                schedule(after: .milliseconds(5), on: id) { .readMembers(id, process: $0) }
            case .remakeLink(let peer):
                breakLink(id, peer)
            case .superseded:
                nodes[id]?.isRunning = false
                if carriesMessages { news.append(NodeNews(node: id, event: .ended)) }
            case .reported:
                hasNews = true
            }
        }
        if hasNews { tellKeeper(of: id) }
    }

    private mutating func resume(_ id: NodeID) {
        guard nodes[id]?.isPaused == true else { return }
        nodes[id]?.isPaused = false
        let backlog = nodes[id]?.backlog ?? []
        nodes[id]?.backlog = []
        nodes[id]?.wakeUpAt = nil
        nodes[id]?.keeperWakeUpAt = nil
        for event in backlog { happen(event) }
        if carriesMessages { news.append(NodeNews(node: id, event: .goesOn)) }
        wakeUp(id)
        wakeUpKeeper(id)
    }

    /// Makes sure that the node is woken when its machine wants to be.
    mutating func wakeUp(_ id: NodeID) {
        let (due, planned) = nodes.wakeUp(of: id)
        guard let time = due, let process = nodes.process(of: id), !nodes.isPaused(id) else { return }
        if let planned, planned <= time, planned > queue.now { return }
        nodes.change(id) { $0.wakeUpAt = time }
        queue.schedule(.wakeUp(id, process: process), at: time)
    }
}

extension ClusterWorld.Event {
    /// Whom it happens to, and to which process; no process: to whichever runs.
    fileprivate var target: (NodeID, Int?)? {
        switch self {
        case .wakeUp(let node, let process), .readMembers(let node, let process),
            .message(_, _, let node, let process), .linkMade(let node, _, let process),
            .linkLost(let node, _, let process), .linkSilent(let node, _, let process),
            .linkRefused(let node, _, let process),
            .keeperWakeUp(let node, let process), .slotMessage(_, _, let node, let process),
            .heartbeat(let node, let process), .statement(_, let node, let process),
            .outcome(_, let node, let process):
            (node, process)
        case .resume(let node): (node, nil)
        case .connect, .lateStatement: nil
        }
    }
}
