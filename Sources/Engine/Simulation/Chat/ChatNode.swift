import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore

/// One process of a node: what it owns, what it relays, whom it serves. The shell around production's values.
final class ChatNode {
    let identity: FluxCluster.NodeIdentity
    /// Outlives all that stands in it.
    unowned(unsafe) let world: ChatWorld
    @exclusivity(unchecked) var isRunning = true
    private var ticks = 0
    @exclusivity(unchecked) var isPaused = false
    private var backlog: [() -> Void] = []

    // Slots.
    @exclusivity(unchecked) var slots = SlotTable()
    @exclusivity(unchecked) var owned = SlotArray<Epoch>()
    /// Slots that are being handed over, with the calls that wait for it.
    @exclusivity(unchecked) var held = SlotArray<[() -> Void]>()
    /// Paused slots that are to be committed whole.
    @exclusivity(unchecked) var flushing: [Slot: Epoch] = [:]

    // Owning.
    @exclusivity(unchecked) var owners: [GuildID: GuildOwner] = [:]
    /// Owners that have lost their guilds; some still wait in them.
    private var former: [GuildOwner] = []
    var activations: [GuildID: [(GuildOwner?) -> Void]] = [:]
    @exclusivity(unchecked) var people = OwnedPeople()
    /// What former owners have left.
    let memories = SlotMemories()
    @exclusivity(unchecked) var minter: SnowflakeMinter

    // Committing.
    @exclusivity(unchecked) var lane: Lane
    @exclusivity(unchecked) var laneTask: LaneTask?
    var laneWakeUp: Duration?
    @exclusivity(unchecked) var laneConnection = 0
    @exclusivity(unchecked) var settlements: [MutationID: Settlement] = [:]
    @exclusivity(unchecked) var lastMutation: UInt64 = 0

    // Relaying.
    let relays: RelayHub
    let registry = SubscriptionRegistry()
    @exclusivity(unchecked) var leases = RelayLeases()
    @exclusivity(unchecked) var confirmations = PendingConfirmations<StreamHead>()
    /// When an owner last answered each stream's relay.
    var answeredAt: [StreamKey: Duration] = [:]
    private let outbox: NodeOutbox
    var broken: BrokenSessions?

    // Serving.
    var sessions: [SessionKey: ChatSession] = [:]
    var arrivals: [UInt64: Arriving] = [:]
    var claims: [UInt64: Claimed] = [:]
    var departed = DepartedSessions()
    var lastTicket: UInt64 = 0

    // Calling.
    @exclusivity(unchecked) var calls: [UInt64: PendingCall] = [:]
    @exclusivity(unchecked) var lastCall: UInt64 = 0

    init(_ identity: FluxCluster.NodeIdentity, world: ChatWorld, minter: SnowflakeMinter) {
        self.identity = identity
        self.world = world
        self.minter = minter
        lane = Lane(limits: world.configuration.laneLimits)
        let outbox = NodeOutbox()
        self.outbox = outbox
        relays = RelayHub(loopCount: 1, node: identity.id, ways: outbox.ways(world: world))
        outbox.node = self
    }

    var id: NodeID { identity.id }
    var process: LeaseDatabase.Process { LeaseDatabase.Process(node: id, incarnation: identity.incarnation) }
    /// The engine's clock, in milliseconds.
    var now: UInt64 { world.now.inMilliseconds + 1 }

    /// What it is about.
    var state: String {
        let task = laneTask.map { "\($0)" } ?? "idle"
        return "node \(id): paused \(isPaused), lane \(task) with \(lane.rowCount), held \(held.count), "
            + "guilds \(owners.count), slots \(owned.count)"
    }

    // MARK: Living

    /// Does something on the node's loop, or when the process goes on.
    func perform(_ work: @escaping () -> Void) {
        guard isRunning else { return }
        if isPaused { backlog.append(work) } else { work() }
    }

    /// Takes in what another node has sent, or when the process goes on.
    func perform(_ work: @escaping (ChatNode) -> Void) {
        guard isRunning else { return }
        if isPaused { backlog.append { [self] in work(self) } } else { work(self) }
    }

    func goOn() {
        isPaused = false
        var next = 0
        while !isPaused, isRunning, next < backlog.count {
            backlog[next]()
            next += 1
        }
        // It may have been paused again in the middle.
        backlog.removeFirst(min(next, backlog.count))
        workLane()
    }

    func begin() {
        workLane()
        tick()
        renewLeases()
    }

    func end() {
        isRunning = false
        backlog = []
        settlements = [:]
    }

    /// Lets go of all that refers back to it.
    func dismantle() {
        end()
        for session in sessions.values + arrivals.values.compactMap(\.session) { session.end(tellingClient: false) }
        relays.close()
        for owner in former + owners.values {
            owner.forget()
            owner.turns.end()
        }
        for owner in people.directs.values { owner.forget() }
        for owner in people.users.values { owner.forget() }
        confirmations = PendingConfirmations<StreamHead>()
        (owners, activations, people, held, calls) = ([:], [:], OwnedPeople(), SlotArray(), [:])
        (arrivals, claims, former) = ([:], [:], [])
    }

    /// Once a second.
    private func tick() {
        if world.reachesDatabase(self) {
            let reserved = world.wallClock(of: id) + Self.reservation
            world.highWater[id] = max(world.highWater[id] ?? 0, reserved)
            minter.highWaterMilliseconds = max(minter.highWaterMilliseconds, reserved)
        }
        checkBounds()
        relays.sweep(at: now, mayDeliver: mayDeliver)
        sweepArrivals()
        for session in sessions.values.sorted(by: { $0.number < $1.number }) { session.sweep() }
        for (peer, heads) in relays.takeHeads().sorted(by: { $0.key < $1.key }) {
            let sorted = heads.sorted { $0.key.id < $1.key.id }
            world.send(from: self, to: peer) { [id] target in target.relays.receive(sorted, from: id) }
        }
        sweepOutbox()
        ticks += 1
        if ticks % 5 == 0 { sayWhatIsFollowed() }
        world.after(.seconds(1), on: self) { [unowned self] in tick() }
    }

    /// Nothing grows beyond what is stated for it (I8).
    private func checkBounds() {
        let limits = world.configuration.laneLimits
        if lane.rowCount > limits.rows || lane.byteCount > limits.bytes {
            world.auditor.violate(
                world.now, "I8: the lane of node \(id) holds \(lane.rowCount) rows, \(lane.byteCount) bytes")
        }
        for session in sessions.values where session.ringCount > world.configuration.replayEvents {
            world.auditor.violate(world.now, "I8: session \(session.key) keeps \(session.ringCount) dispatches")
        }
    }

    private func sayWhatIsFollowed() {
        for (owner, claims) in relays.claims.sorted(by: { $0.key < $1.key }) {
            let claims = claims.sorted { $0.key.id < $1.key.id }
            world.send(from: self, to: owner) { [id] target in
                let answer = target.relays.judge(claims, of: id)
                guard !answer.unfounded.isEmpty || !answer.behind.isEmpty else { return }
                // Behind what the relay hands out at the end of this turn.
                target.world.atEndOfTurn {
                    target.world.send(from: target, to: id) { [owner] follower in
                        follower.relays.sentAway(answer.unfounded, by: owner)
                        follower.relays.receive(answer.behind, from: owner)
                    }
                }
            }
        }
    }

    /// Makes sure that ids greater than `floor` can be minted; false if Postgres cannot be asked now.
    func reserveIdentifiers(above floor: Snowflake?, _ completion: @escaping (Bool) -> Void) {
        guard let floor, !minter.hasRoom(above: floor) else { return completion(true) }
        let wanted = floor.timestampMilliseconds + Self.reservation
        world.after(world.milliseconds(0.5...4)) { [self] in
            guard world.reachesDatabase(self) else { return world.after(.seconds(2), on: self) { completion(false) } }
            world.highWater[id] = max(world.highWater[id] ?? 0, wanted)
            world.after(world.milliseconds(0.5...3), on: self) { [self] in
                minter.highWaterMilliseconds = max(minter.highWaterMilliseconds, wanted)
                completion(true)
            }
        }
    }

    /// How far ahead ids are reserved, in milliseconds.
    static let reservation: Int64 = 300_000

    /// Twice a second.
    private func renewLeases() {
        let asked = now
        for owner in relays.owners.sorted() where owner != id {
            world.send(from: self, to: owner) { [id] target in
                target.leases.grant(to: id, at: target.now)
                target.world.send(from: target, to: id) { $0.leaseGranted(by: owner, askedAt: asked) }
            }
        }
        repeatConfirmations()
        world.after(.milliseconds(500), on: self) { [unowned self] in renewLeases() }
    }

    private func leaseGranted(by owner: NodeID, askedAt asked: UInt64) {
        let hasLapsed = leases.renewed(by: owner, askedAt: asked, at: now)
        if hasLapsed, world.bug != .deliveryWithoutLease { relays.mistrust(owner) }
    }

    func linkLost(to peer: NodeID) {
        relays.mistrust(peer)
        failCalls(to: peer)
        loseArrivals(from: peer)
    }

    // MARK: Slots

    func takeUp(_ slots: [Slot: Epoch]) {
        var changed: Set<Slot> = []
        for (slot, epoch) in slots {
            owned[slot] = epoch
            if self.slots.learn(slot, node: id, epoch: epoch), world.isUsed(slot) { changed.insert(slot) }
        }
        if !changed.isEmpty { ownersChanged(changed) }
    }

    private func ownersChanged(_ slots: Set<Slot>) {
        relays.ownersChanged(slots)
        peopleMoved(slots)
    }

    func giveUp(_ slots: [Slot: Epoch]) {
        for slot in slots.keys.sorted() { letGo(slot, epoch: slots[slot] ?? 0) }
    }

    func sendOn(_ slot: Slot, to successor: NodeID, _ epoch: Epoch) {
        letGo(slot, epoch: epoch - 1)
        learn([Route(slot: slot, node: successor, epoch: epoch)])
    }

    private func letGo(_ slot: Slot, epoch: Epoch) {
        guard let held = owned[slot], held <= epoch else { return }
        owned[slot] = nil
        slots.forget(slot, epoch: epoch)
        flushing[slot] = nil
        if world.isUsed(slot) {
            for guild in world.guilds where guild.slot == slot {
                guard let owner = owners.removeValue(forKey: guild.id) else { continue }
                owner.deactivate()
                former.append(owner)
            }
            letGoOfPeople(in: slot)
        }
        release(slot)
    }

    func learn(_ routes: [Route]) {
        var changed: Set<Slot> = []
        for route in routes where slots.learn(route.slot, node: route.node, epoch: route.epoch) {
            // Of the others there are no streams.
            if world.isUsed(route.slot) { changed.insert(route.slot) }
        }
        if !changed.isEmpty { ownersChanged(changed) }
    }

    func pause(_ slot: Slot, _ epoch: Epoch) {
        held[slot] = held[slot] ?? []
        flushing[slot] = epoch
        finishFlushes()
    }

    func resume(_ slot: Slot) {
        flushing[slot] = nil
        release(slot)
    }

    private func release(_ slot: Slot) {
        guard let waiting = held[slot] else { return }
        held[slot] = nil
        for work in waiting { work() }
    }

    /// Reports paused slots of which everything is committed.
    func finishFlushes() {
        guard !flushing.isEmpty else { return }
        for (slot, epoch) in flushing.sorted(by: { $0.key < $1.key }) {
            let isUnsettled = world.guilds.contains { guild in
                guild.slot == slot && owners[guild.id]?.hasUnsettled == true
            }
            guard !isUnsettled, !hasUnsettledPeople(in: slot) else { continue }
            flushing[slot] = nil
            world.atEndOfTurn { [self] in
                world.change { $0.flushed(slot, epoch, succeeded: true, of: id) }
            }
        }
    }

    /// Its clients are told to go elsewhere, and other nodes are offered the sessions whose clients are away.
    func sendClientsAway() {
        for session in sessions.values.sorted(by: { $0.number < $1.number }) where session.client != nil {
            let client = session.client
            session.detach()
            client?.toldToReconnect(after: world.milliseconds(0.2...3))
        }
        world.after(Self.ownTime, on: self) { [unowned self] in
            if !world.cluster.nodes.isReady(id) { offerSessions() }
        }
    }

    /// How long clients that were sent away have to fetch their sessions themselves.
    private static let ownTime = Duration.seconds(2)
}
