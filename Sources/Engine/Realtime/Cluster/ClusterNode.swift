import FluxCluster
import FluxCore
import FluxStore
import Logging
import NIOConcurrencyHelpers

/// One node's part in its cluster: it is a member, knows who else lives, and owns its share of the slots (design 5).
///
/// The thin shell around `Membership` and `SlotKeeper`, on a thread of its own: what takes long on the engine's loops does
/// not make this node look ill. `MembershipDriver` and `SlotDriver` perform what the two decide; `ClusterHeartbeat` and
/// `LeaseDesk` speak to Postgres; this joins them, and is what operators' commands call: `status`, `drain`, `undrain`,
/// `leave`, `remove`.
///
/// A node that runs alone is the same with nobody else in it.
///
/// `@unchecked Sendable` is sound because what changes is touched only on `loop`, or stands behind `life`.
public final class ClusterNode: @unchecked Sendable {
    /// What nodes say to each other, by event number; never another meaning.
    enum Frame {
        static let membership: ClusterEvent = 16
        static let slots: ClusterEvent = 17
    }

    /// How long `start` waits at most until every slot has an owner: longer than it takes until a dead node's heartbeat has
    /// expired.
    private static let settlingTime = Duration.seconds(8)

    private struct Life {
        var heartbeat: Task<Void, Never>?
        var hasLeft = false
    }

    private let foundations: ClusterFoundations
    private let loop = ClusterLoop()
    private let heartbeat: ClusterHeartbeat
    private let store: LeaseStore
    private let life = NIOLockedValueBox(Life())
    private let metrics = ClusterMetrics()
    private let transfers: SlotTransfers

    // On the loop.
    private var membership: MembershipDriver?
    private var slots: SlotDriver?
    private var reasons: Set<UnreadyReason> = []
    private var linkedTo: [NodeID: PeerAddress] = [:]
    private var isReadingMembers = false
    /// The last heartbeat had no answer.
    private var isUnheard = false
    private var isDraining = false
    /// The row says so.
    private var drainsByRow = false
    private var waiters: [(isDone: () -> Bool, resume: () -> Void)] = []
    private var hasDrained = false
    /// The clients are sent away, since no slot is left.
    private var hasSentClientsAway = false
    private var hasBeenSuperseded = false
    private var isOver = false

    /// A part that does nothing before `start`. Before the engine starts: it begins to take in what other nodes say.
    public init(_ foundations: ClusterFoundations) {
        self.foundations = foundations
        let identity = foundations.realtime.services.system.identity
        let node = FluxStore.NodeIdentity(node: identity.id.rawValue, incarnation: identity.incarnation)
        store = LeaseStore(foundations.leases)
        heartbeat = ClusterHeartbeat(
            node: node, store: LeaseStore(foundations.heartbeats), server: ServerCheck(foundations.heartbeats))
        transfers = SlotTransfers(foundations.realtime.services)
        makeDrivers(node)
        register()
    }

    private var system: ClusterActorSystem { foundations.realtime.services.system }
    private var logger: Logger { foundations.logger }
    private var identity: FluxCluster.NodeIdentity { system.identity }
    private var storedIdentity: FluxStore.NodeIdentity { heartbeat.node }

    // MARK: Life

    /// Takes part: tells the others where this node is reached, begins to beat, to probe and to own slots. The engine runs
    /// and the cluster port is open. Returns when every slot has an owner, or after a while without.
    /// - Parameter weight: its share of the slots, against the others', more than 0; nil: what it was.
    public func start(address: String, weight: Double? = nil) async throws(StoreError) {
        try await store.describe(storedIdentity, address: address, weight: weight)
        // Before slots are owned here: ids that are minted by a wrong clock stay ahead of all others.
        let comparison = try await heartbeat.compareClocks()
        await onLoop { node in
            node.membership?.start()
            node.compared(comparison)
            node.slots?.open()
        }
        let beating = Task {
            await self.heartbeat.run(after: comparison) { await self.report($0) }
        }
        life.withLockedValue { $0.heartbeat = beating }
        await wait(atMost: Self.settlingTime) { $0.slots?.isEverySlotOwned == true }
    }

    /// Leaves: the others are told, and the row says so; they take what slots are left. Everything that was decided here must
    /// be committed before. Idempotent. Does not close the links. A node that was superseded says nothing.
    public func leave() async {
        let isFirst = life.withLockedValue { life in
            defer { life.hasLeft = true }
            return !life.hasLeft
        }
        guard isFirst else { return }
        do throws(StoreError) {
            try await store.setState(.left, of: storedIdentity)
        } catch {
            logger.warning(
                "the others could not be told through Postgres that this node leaves", metadata: ["error": "\(error)"])
        }
        await onLoop { $0.membership?.leave() }
        await stop()
    }

    /// Ends without a word to anybody, as far as Postgres and membership go.
    func stop() async {
        let beating = life.withLockedValue { life in
            life.hasLeft = true
            return life.heartbeat
        }
        beating?.cancel()
        await onLoop { node in
            node.membership?.stop()
            node.slots?.stop()
            node.isOver = true
            node.wakeWaiters()
        }
        await beating?.value
        await loop.close()
    }

    // MARK: Commands

    /// The cluster as this node sees it.
    public func status() async -> ClusterStatus {
        let status = await onLoop { node in
            node.membership.map {
                ClusterStatus($0.view, reasons: node.reasons, slots: node.slots?.slotCounts ?? [:])
            }
        }
        return (status ?? nil) ?? ClusterStatus(node: identity.id, unreadyReasons: [], members: [])
    }

    /// How long `handSessionsOver` waits at most, and how much of that it gives the clients to come to other nodes by themselves.
    private static let departureTime = Duration.seconds(10)
    private static let ownTime = Duration.seconds(3)
    /// How long it waits then for the others to have read whose the sessions are.
    private static let hearingTime = Duration.seconds(3)

    /// Gives all slots to other nodes, then sends the clients there, whose sessions move; gets neither until `undrain` or the
    /// next start. Returns when nothing is left to give away; whether all slots went within the time. Sessions whose clients do
    /// not come in time are offered to the others. A node without others keeps its slots and its clients.
    @discardableResult
    public func drain(atMost limit: Duration = .seconds(60)) async throws(StoreError) -> Bool {
        try await store.setState(.draining, of: storedIdentity)
        guard await handSlotsOver(atMost: limit) else { return false }
        await handSessionsOver()
        return true
    }

    /// Returns when other nodes have the sessions of clients that were sent away; those of clients that are not back are offered
    /// to them. Within 13 s, `departureTime` and `hearingTime`; at once where nobody stays who could take them.
    /// - Returns: how many sessions are left.
    @discardableResult
    public func handSessionsOver() async -> Int {
        let isAlone = await onLoop { $0.membership?.view.successors.isEmpty ?? true } ?? true
        guard !isAlone else { return foundations.realtime.services.sessions.count }
        let left = await foundations.realtime.awaitDepartures(
            atMost: Self.departureTime, offeringAfter: Self.ownTime
        ) { await self.onLoop(\.takers) ?? [] }
        // Also who has begun to leave since may have taken some.
        let others = await onLoop { node in (node.membership?.view.living ?? []).filter { $0 != node.identity.id } }
        await foundations.realtime.services.moves.awaitHearing(by: Set(others ?? []), atMost: Self.hearingTime)
        return left
    }

    /// The nodes that may take clients now. Whether anybody could ever take a slot is `SlotKeeper`'s to know.
    private var takers: [NodeID] {
        membership?.view.members.filter { $0.key != identity.id && $0.value.mayOwn }.map(\.key) ?? []
    }

    /// As `drain`, of a process that ends: without a word in Postgres that would outlast it.
    @discardableResult
    public func handSlotsOver(atMost limit: Duration) async -> Bool {
        await onLoop { $0.setDraining(true) }
        await wait(atMost: limit) {
            $0.hasDrained || !$0.isDraining || $0.reasons.contains(.noDatabase) || $0.hasBeenSuperseded
        }
        return await onLoop(\.hasDrained) ?? false
    }

    /// Takes part again.
    public func undrain() async throws(StoreError) {
        try await store.setState(.active, of: storedIdentity)
        await onLoop { $0.setDraining(false) }
    }

    // MARK: What joins the parts

    private func makeDrivers(_ node: FluxStore.NodeIdentity) {
        let membership = MembershipDriver(
            identity: identity, loop: loop, seed: .random(in: 0...UInt64.max),
            ways: MembershipDriver.Ways(
                send: { [unowned self] message, peer in
                    system.send(event: Frame.membership, to: peer, over: .control) { $0.value(message) }
                },
                viewChanged: { [unowned self] view in
                    metrics.members(view)
                    foundations.realtime.services.setMembers(view.members.mapValues(\.health))
                    slots?.changed(view)
                    goOnDraining()
                },
                readMembers: { [unowned self] in readMembersSoon() },
                remakeLink: { [unowned self] peer in remakeLink(to: peer) },
                superseded: { [unowned self] in superseded() }),
            logger: logger)
        slots = SlotDriver(
            identity: identity, view: membership.view, loop: loop,
            desk: LeaseDesk(store: store, node: node, logger: logger),
            hands: SlotHands(services: foundations.realtime.services, transfers: transfers),
            ways: SlotDriver.Ways(
                send: { [unowned self] message, peer in
                    system.send(event: Frame.slots, to: peer, over: .control) { $0.value(message) }
                },
                report: { [unowned self] isReady, isDraining, hasDatabase in
                    self.membership?.report(isReady: isReady, isDraining: isDraining, hasDatabase: hasDatabase)
                },
                unready: { [unowned self] reason, applies in setUnready(reason, applies) },
                endSessions: { [unowned self] _ in foundations.realtime.sendClientsAway() },
                drained: { [unowned self] isDone in
                    hasDrained = isDone
                    goOnDraining()
                }),
            logger: logger)
        self.membership = membership
        slots?.observe { [unowned self] in wakeWaiters() }
    }

    private func register() {
        transfers.register()
        system.register(event: Frame.membership) { [loop, weak self] peer, reader in
            guard let message = try? reader.value(MembershipMessage.self) else { return }
            loop.post { [weak self] in self?.membership?.received(message, from: peer) }
        }
        system.register(event: Frame.slots) { [loop, weak self] peer, reader in
            guard let message = try? reader.value(SlotMessage.self) else { return }
            loop.post { [weak self] in self?.slots?.received(message, from: peer) }
        }
        foundations.watch.listen { [loop, weak self] event in
            loop.post { [weak self] in self?.membership?.heard(event) }
        }
    }

    private func setUnready(_ reason: UnreadyReason, _ applies: Bool) {
        if applies { reasons.insert(reason) } else { reasons.remove(reason) }
        logger.log(
            level: applies ? .error : .notice, applies ? "not ready" : "no longer not ready",
            metadata: ["reason": "\(reason)"])
        foundations.events.unready(reason, applies)
        if !reasons.contains(where: \.endsSessions) { foundations.realtime.takeClientsAgain() }
    }

    private func setDraining(_ isDraining: Bool) {
        guard isDraining != self.isDraining else { return }
        self.isDraining = isDraining
        hasDrained = false
        hasSentClientsAway = false
        goOnDraining()
        if !isDraining { foundations.realtime.endDraining() }
        slots?.drain(isDraining)
        wakeWaiters()
    }

    /// The clients follow the slots, if there is somebody to take them; who comes meanwhile shall find another node.
    private func goOnDraining() {
        let areTakers = !takers.isEmpty
        if hasDrained, areTakers, !hasSentClientsAway {
            hasSentClientsAway = true
            foundations.realtime.beginDraining()
        }
        foundations.events.draining(isDraining && (areTakers || hasSentClientsAway))
    }

    private func superseded() {
        guard !hasBeenSuperseded else { return }
        hasBeenSuperseded = true
        wakeWaiters()
        foundations.events.superseded()
    }

    // MARK: Postgres's answers

    private func report(_ outcome: ClusterHeartbeat.Outcome) async {
        await onLoop { $0.take(outcome) }
    }

    private func take(_ outcome: ClusterHeartbeat.Outcome) {
        switch outcome {
        case .answered(let answer):
            isUnheard = false
            foundations.events.reserved(answer.reserved)
            learn(answer.members)
            slots?.heartbeatAnswered(living: answer.living)
            if let clock = answer.clock { compared(clock) }
        case .failed(let error):
            if !isUnheard { logger.warning("no heartbeat reaches Postgres", metadata: ["error": "\(error)"]) }
            isUnheard = true
        case .fenced:
            superseded()
        }
    }

    private func compared(_ clock: ClusterHeartbeat.Clock) {
        if clock.isOff {
            logger.error("the clock differs from Postgres's", metadata: ["offset": "\(clock.offset)"])
        }
        slots?.clockCompared(isOff: clock.isOff)
    }

    private func learn(_ members: [ClusterMember]) {
        membership?.learned(members)
        link(to: members)
        // Somebody may have said so through another node. The row may have been read before what was said here: then the
        // next beat puts it right.
        guard let own = members.first(where: { $0.identity == identity }) else { return }
        if own.standing == .draining {
            drainsByRow = true
            setDraining(true)
        } else if drainsByRow {
            drainsByRow = false
            setDraining(false)
        }
    }

    private func readMembersSoon() {
        guard !isReadingMembers else { return }
        isReadingMembers = true
        Task { await self.readMembers() }
    }

    private func readMembers() async {
        let members = await heartbeat.members()
        await onLoop { node in
            node.isReadingMembers = false
            if let members { node.learn(members) }
        }
    }

    // MARK: Links

    private func link(to members: [ClusterMember]) {
        var addresses: [NodeID: PeerAddress] = [:]
        for member in members where member.identity.id != identity.id && member.standing != .left {
            addresses[member.identity.id] = PeerAddress(member.address)
        }
        guard addresses != linkedTo else { return }
        linkedTo = addresses
        foundations.links?.link(to: addresses)
    }

    private func remakeLink(to node: NodeID) {
        guard let links = foundations.links else { return }
        links.link(to: linkedTo.filter { $0.key != node })
        links.link(to: linkedTo)
    }

    // MARK: Waiting

    /// Runs the work on the loop and waits for it; nil, without having run it, when this part has ended.
    @discardableResult
    private func onLoop<Value: Sendable>(_ work: @escaping @Sendable (ClusterNode) -> Value) async -> Value? {
        await withCheckedContinuation { continuation in
            if !loop.post({ continuation.resume(returning: work(self)) }) { continuation.resume(returning: nil) }
        }
    }

    /// Returns when the condition holds, asked on the loop after each event; whether it came to hold within the time.
    @discardableResult
    private func wait(atMost limit: Duration, _ condition: @escaping @Sendable (ClusterNode) -> Bool) async -> Bool {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isPosted = loop.post {
                let end = self.loop.now + limit
                self.waiters.append(
                    (
                        isDone: { self.isOver || condition(self) || self.loop.now >= end },
                        resume: { continuation.resume() }
                    ))
                _ = self.loop.schedule(at: end) { self.wakeWaiters() }
                self.wakeWaiters()
            }
            if !isPosted { continuation.resume() }
        }
        return await onLoop(condition) ?? false
    }

    private func wakeWaiters() {
        let done = waiters.filter { $0.isDone() }
        guard !done.isEmpty else { return }
        waiters.removeAll { $0.isDone() }
        for waiter in done { waiter.resume() }
    }
}
