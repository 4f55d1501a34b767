import FluxCluster
import FluxCore
import FluxStore
import NIOCore
import NIOPosix

/// Everything of the engine that belongs to one event loop: the subscribers, relays and sessions there, and the actors' access to
/// their lanes.
///
/// `@unchecked Sendable` is sound because only the loop touches it: it is reached through `EngineServices.run(on:)`, through
/// `EngineLoop.current`, and by the actors and sessions of the loop. `verify` stops a process that breaks this.
final class EngineLoop: @unchecked Sendable {
    private static let thread = ThreadSpecificVariable<EngineLoop>()

    /// The engine's part of the event loop that the caller runs on; nil elsewhere.
    static var current: EngineLoop? { thread.currentValue }

    /// The engine's part of the loop that an activation runs on.
    static func requireCurrent() throws(APIError) -> EngineLoop {
        guard let current else { throw .internalFailure }
        return current
    }

    let index: Int
    let services: EngineServices
    let executor: LoopExecutor
    let registry = SubscriptionRegistry()
    /// Changes that wait until other nodes have applied them.
    var confirmations = PendingConfirmations<StreamHead>()
    private(set) lazy var sessions = LoopSessions(loop: self)
    private(set) lazy var users = SessionAnnouncer(loop: self)
    private(set) lazy var sends = SendRouter(loop: self)
    private(set) lazy var arrivals = LoopArrivals(loop: self)
    private(set) lazy var departures = LoopDepartures(loop: self)
    private(set) lazy var sentMarks = SentMarks(loop: self)
    private(set) lazy var rollCall = RollCall(loop: self)
    /// The streams whose owner lives on this loop, and where each stands.
    private var positions: [StreamKey: StreamPosition] = [:]
    /// The users whose actor is active on this loop.
    var userActors: [UserID: UserActor] = [:]
    /// The conversations whose channel is active on this loop.
    var directs: [ChannelID: DirectConversation] = [:]
    /// The guilds whose actor is active on this loop.
    var guilds: [GuildID: GuildHome] = [:]
    /// How many channels of each guild are active on this loop.
    private var activeChannels: [GuildID: Int] = [:]
    /// What waits for room in a lane.
    let gate: LaneGate
    private var settlements: [MutationID: Settlement] = [:]
    private var nextMutation: UInt64 = 0
    /// By slot: how many changes have no fate yet.
    private var unsettled = [Int32](repeating: 0, count: Slot.count)
    private var whenSettled: [Slot: () -> Void] = [:]

    /// The slots that have got another owner since the last tick.
    private var movedSlots: Set<Slot> = []
    private var ticks = 0
    /// A stream whose owner has lost sight of this node is silent for so many seconds at most.
    private static let ticksBetweenClaims = 5

    private struct Settlement {
        let slot: Slot
        let epoch: Epoch
        let completion: (LaneOutcome.Result) -> Void
    }

    init(index: Int, services: EngineServices) {
        self.index = index
        self.services = services
        executor = services.mesh.executors[index]
        gate = LaneGate(lanes: services.lanes.count)
    }

    /// The relays of the streams whose slots are pinned to this loop.
    private(set) lazy var relays = RelayHub(
        loopCount: services.mesh.count, node: services.system.identity.id,
        ways: RelayHub.Ways(
            // Before what is posted to other loops leaves, so that all of it crosses in one hop.
            atEndOfTurn: { [services] work in services.mesh.atEndOfTurn(.relay, work) },
            handOver: { [services] loop, events in
                services.run(on: loop) { target in
                    for entry in events { target.registry.deliver(entry.event, of: entry.key) }
                }
            },
            breakOff: { [services] loop, key in services.run(on: loop) { $0.registry.breakStream(key) } },
            succeed: { [services] loop, key, succession in
                services.run(on: loop) { $0.registry.succeed(key, succession) }
            },
            whenWritten: { [mesh = services.mesh, index] loop, completion in
                mesh.post(to: loop) {
                    // What the loop got before has been written by the time that its turn ends.
                    mesh.atEndOfTurn { mesh.post(to: index) { completion() } }
                }
            },
            send: { [services] peer, events in services.links.send(events, to: peer) },
            register: { [unowned self] key, relay in self.register(relay, of: key) },
            unregister: { [services] owner, key, registration in
                services.links.sendEnd(of: key, registration: registration, to: owner)
            },
            sendAway: { [services] peers, key in for peer in peers { services.links.sendAway([key], to: peer) } },
            isHome: { [services] slot in services.system.owns(slot) }))

    /// Makes this the engine's part of the loop it runs on. Called once, on the loop.
    func install() {
        verify()
        Self.thread.currentValue = self
    }

    func verify() { executor.eventLoop.preconditionInEventLoop() }

    // MARK: Subscribing

    func subscribe(_ subscriber: any StreamSubscriber, to key: StreamKey) -> Subscription {
        let (subscription, isFirst) = registry.register(subscriber, to: key)
        if isFirst {
            let index = index
            services.run(onLoopOf: key) { home in
                home.relays.subscribe(loop: index, to: key, at: home.now, position: home.positions[key])
            }
        }
        return subscription
    }

    func unsubscribe(_ subscription: Subscription) {
        guard registry.remove(subscription) else { return }
        let (key, index) = (subscription.key, index)
        services.run(onLoopOf: key) { home in home.relays.unsubscribe(loop: index, from: key, at: home.now) }
    }

    /// Returns when every later event of the stream is certain to reach its subscribers on this loop, so that a snapshot may
    /// be taken (I6); false if the owner of the stream cannot be reached now. Callable from every task.
    func isFollowed(_ key: StreamKey) async -> Bool {
        let (services, here) = (services, index)
        return await withCheckedContinuation { continuation in
            // By way of this loop, behind the registration that it has posted to the stream's: a call to the owner that came
            // from elsewhere could overtake that, and what happens between the two would reach nobody.
            services.run(on: here) { _ in
                services.run(onLoopOf: key) { home in
                    home.relays.whenReady(key) { isReady in
                        services.run(on: here) { _ in continuation.resume(returning: isReady) }
                    }
                }
            }
        }
    }

    // MARK: Publishing

    /// Begins a stream whose owner was activated on this loop.
    func beginStream(_ key: StreamKey, epoch: Epoch) -> StreamPublisher {
        let publisher = StreamPublisher(key: key, epoch: epoch, at: services.clock.milliseconds)
        positions[key] = publisher.position
        relays.streamBegan(key, at: publisher.position, now: now)
        return publisher
    }

    /// Its owner left the loop. - Parameter view: what its listeners have seen.
    func endStream(_ key: StreamKey, _ view: RelayView, _ reason: DeactivationReason) {
        positions[key] = nil
        // One that was idle is made again here.
        if reason != .idle { relays.ownerLeft(key, view, at: now) }
    }

    func publish(_ event: StreamEvent, of key: StreamKey) {
        positions[key] = event.position
        services.measurements.published()
        relays.publish(event, of: key)
    }

    /// Returns when no session anywhere shows the stream as it was before what has been published up to now: every relay has
    /// applied it, or may not deliver any more (I7).
    func confirm(
        _ key: StreamKey, upTo position: StreamPosition, isolation: isolated (any Actor)? = #isolation
    ) async {
        verify()
        await withCheckedContinuation { continuation in
            relays.confirm(key) { continuation.resume() }
        }
        let peers = Set(relays.peers(of: key).filter(services.links.mayDeliver))
        guard !peers.isEmpty else { return }
        relays.flushPeers()
        await withCheckedContinuation { continuation in
            let head = StreamHead(key: key, position: position)
            let ticket = confirmations.begin(head, peers: peers) { continuation.resume() }
            for peer in peers { services.links.askToConfirm(head, ticket: ticket, peer: peer) }
        }
    }

    /// The streams of a slot whose owners live on this loop, and where each stands.
    func streams(of slot: Slot) -> [StreamKey: StreamPosition] { positions.filter { $0.key.slot == slot } }

    var now: UInt64 { services.clock.milliseconds }

    // MARK: Committing

    /// Hands a change to the slot's lane; `completion` is called on this loop with its fate.
    /// - Throws: `.overloaded` at the lane's bound; nothing was accepted then.
    func commit(
        _ change: Change, slot: Slot, epoch: Epoch, completion: @escaping (LaneOutcome.Result) -> Void
    ) throws(StoreError) {
        verify()
        nextMutation += 1
        let id = MutationID(nextMutation << 8 | UInt64(index))
        settlements[id] = Settlement(slot: slot, epoch: epoch, completion: completion)
        do {
            try services.lanes.append(Mutation(id: id, slot: slot, epoch: epoch, origin: index, change: change))
        } catch {
            settlements[id] = nil
            throw error
        }
        unsettled[Int(slot.rawValue)] += 1
    }

    /// As above for actors of this loop; waits while the lane is full. What finds no room for too long counts as withdrawn.
    func commit(
        _ change: Change, slot: Slot, epoch: Epoch, isolation: isolated (any Actor)? = #isolation
    ) async -> LaneOutcome.Result {
        while true {
            if isLaneFull(of: slot), !(await roomForCommit(slot)) { return .withdrawn }
            let result: LaneOutcome.Result? = await withCheckedContinuation { continuation in
                do {
                    try commit(change, slot: slot, epoch: epoch) { continuation.resume(returning: $0) }
                } catch StoreError.overloaded {
                    continuation.resume(returning: nil)
                } catch {
                    continuation.resume(returning: .withdrawn)
                }
            }
            if let result { return result }
            guard await roomForCommit(slot) else { return .withdrawn }
        }
    }

    /// Waits until the lane of a slot, which was full, may have room. - Returns: false if that takes too long.
    func roomForCommit(_ slot: Slot, isolation: isolated (any Actor)? = #isolation) async -> Bool {
        await withCheckedContinuation { continuation in
            let isWaiting = waitForLane(of: slot) {
                continuation.resume(returning: true)
            } giveUp: {
                continuation.resume(returning: false)
            }
            if !isWaiting { continuation.resume(returning: false) }
        }
    }

    /// Whether what wants to write through a slot's lane now has to wait.
    func isLaneFull(of slot: Slot) -> Bool { gate.isClosed(lane: services.lanes.lane(of: slot)) }

    /// Calls one of the two, once: when the lane may have room, or when it has taken too long.
    /// - Returns: false, without effect, if too many wait.
    func waitForLane(of slot: Slot, proceed: @escaping () -> Void, giveUp: @escaping () -> Void) -> Bool {
        verify()
        return gate.wait(forLane: services.lanes.lane(of: slot), at: now, proceed: proceed, giveUp: giveUp)
    }

    /// What a lane found out of this loop's changes.
    func settle(_ outcomes: [LaneOutcome]) {
        var lost: [Slot: Epoch] = [:]
        for outcome in outcomes {
            guard let settlement = settlements.removeValue(forKey: outcome.id) else { continue }
            settlement.completion(outcome.result)
            if outcome.result == .lost {
                lost[settlement.slot] = max(lost[settlement.slot] ?? 0, settlement.epoch)
            }
            unsettled[Int(settlement.slot.rawValue)] -= 1
            if !whenSettled.isEmpty { tellIfSettled(settlement.slot) }
        }
        gate.open()
        guard !lost.isEmpty else { return }
        // The lane is the first to hear that another node has taken a slot. What its actors hold here is not to be trusted from
        // now on (I9): it may contain what was never committed.
        let (system, slots) = (services.system, lost)
        Task { await system.lost(slots) }
    }

    /// Calls back on this loop when everything that was decided for the slot has its fate, what followed from that included.
    /// A later call for the same slot takes the place of this one.
    func whenSettled(_ slot: Slot, _ completion: @escaping () -> Void) {
        services.lanes.hasten(slot)
        whenSettled[slot] = completion
        tellIfSettled(slot)
    }

    private func tellIfSettled(_ slot: Slot) {
        guard unsettled[Int(slot.rawValue)] == 0 else { return }
        whenSettled.removeValue(forKey: slot)?()
    }

    // MARK: Guilds and their channels

    func channelActivated(in guild: GuildID) { activeChannels[guild, default: 0] += 1 }

    func channelDeactivated(in guild: GuildID) {
        guard let count = activeChannels[guild] else { return }
        activeChannels[guild] = count > 1 ? count - 1 : nil
    }

    func hasActiveChannels(of guild: GuildID) -> Bool { activeChannels[guild] != nil }

    // MARK: Members of guilds

    /// Op 8: asks the guild and sends the session what it says.
    func requestMembers(_ request: MemberRequest, for session: Session) {
        let (key, userID, services, home) = (session.key, session.userID, services, index)
        let number = UInt64.random(in: 0...UInt64.max)
        session.memberRequests[number] = request
        Task {
            let chunks = try? await services.guild(request.guildID).members(request, for: userID)
            services.reach(key, from: home) { session in
                // A session that has moved to this node since has asked again.
                guard session.memberRequests.removeValue(forKey: number) != nil else { return }
                for body in chunks?.bodies ?? [] {
                    session.dispatch(StreamEvent(kind: .guildMembersChunk, body: body))
                }
            }
        }
    }

    // MARK: Upkeep

    /// These slots have other owners. What that means for people and their conversations is looked at with the next tick: slots come
    /// by the dozen.
    func slotsMoved(_ slots: Set<Slot>) { movedSlots.formUnion(slots) }

    private func tellOfMovedSlots() {
        guard !movedSlots.isEmpty else { return }
        let slots = movedSlots
        movedSlots = []
        for user in userActors.values { user.assumeIsolated { $0.slotsMoved(slots) } }
        for direct in directs.values { direct.slotsMoved(slots) }
    }

    /// Once a second.
    func tick() {
        sessions.sweep(at: now)
        arrivals.sweep(at: now)
        relays.sweep(at: now, mayDeliver: services.links.mayDeliver)
        rollCall.sweep()
        sentMarks.flush()
        tellOfMovedSlots()
        gate.expire(at: now)
        gate.open()
        for (peer, heads) in relays.takeHeads() { _ = services.links.send(heads, to: peer) }
        ticks &+= 1
        if ticks % Self.ticksBetweenClaims == 0 {
            for (owner, claims) in relays.claims { services.links.send(claims, to: owner) }
        }
        if HeldEvents.bytes > services.limits.heldEventBytes {
            sessions.shedReplay()
            relays.shed()
        }
    }

    /// Twice a second.
    func renewLeases() {
        services.links.renewLeases(from: relays.owners)
        for resume in confirmations.release(where: { !services.links.mayDeliver($0) }) { resume() }
        for (ticket, entry) in confirmations.outstanding {
            for peer in entry.peers {
                services.links.askToConfirm(entry.subject, ticket: ticket, peer: peer)
            }
        }
    }
}
