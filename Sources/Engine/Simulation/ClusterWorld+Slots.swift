import FluxCluster
import FluxCore

/// The slots of the world: what a node's shell does for its keeper, and what Postgres answers.
extension ClusterWorld {
    /// What a node asks of Postgres.
    enum Statement: Sendable {
        case beat
        case condemn(NodeIdentity)
        case acquit(NodeID)
        case takeOver([Slot], consented: [Slot: Epoch])
        case release(Slot, Epoch, to: NodeIdentity)
        case readLeases
    }

    /// What comes of something that a keeper asked for.
    enum Outcome: Sendable {
        case heartbeat(Set<NodeID>)
        case condemned(NodeIdentity, Bool)
        case tookOver([Slot: Epoch]?)
        case released(Slot, Epoch, SlotKeeper.ReleaseOutcome)
        case leases([SlotKeeper.Lease]?)
        case copied(Slot, Epoch, to: NodeID)
        case flushed(Slot, Epoch)
    }

    /// How often something was done to slots.
    public struct SlotCounts: Hashable, Sendable {
        /// Slots that a node took up.
        public var takenUp = 0
        /// Slots that were lost to another node.
        public var givenUp = 0
        /// Slots that were handed over.
        public var handedOver = 0
        /// Hand-overs that were called off after the slot was paused.
        public var resumed = 0
        /// Times that a node sent its clients away.
        public var sessionsEnded = 0
        /// Nodes that had nothing left after they were drained.
        public var drained = 0
    }

    private static let heartbeatInterval = Duration.seconds(1)
    private static let statementTimeout = Duration.seconds(2)

    // MARK: Asking

    /// What a node's keeper knows.
    public func keeper(of node: NodeID) -> SlotKeeper? { nodes[node]?.keeper }

    /// Whether Postgres has given every slot to a running node that should have it, as that node knows, and nobody else
    /// believes that it owns any.
    public var isSharedOut: Bool {
        let leases = database.rows
        guard leases.count == Slot.count else { return false }
        var counts: [NodeID: Int] = [:]
        for lease in leases {
            let slot = lease.slot
            guard let keeper = nodes[lease.node]?.keeper, keeper.epoch(of: slot) == lease.epoch,
                keeper.wantedOwner(of: slot) == lease.node
            else { return false }
            counts[lease.node, default: 0] += 1
        }
        return running.allSatisfy { nodes[$0]?.keeper?.ownedCount == counts[$0] ?? 0 }
    }

    // MARK: Faults

    /// Stops Postgres.
    public mutating func stopDatabase() { database.stop() }

    /// Starts Postgres.
    public mutating func startDatabase() { database.start(at: now) }

    /// Keeps the node from Postgres, or lets it through again.
    public mutating func cutFromDatabase(_ node: NodeID, _ isCut: Bool = true) {
        if isCut { cutFromDatabase.insert(node) } else { cutFromDatabase.remove(node) }
    }

    /// Begins, or ends, to move all slots away from the node.
    public mutating func drain(_ id: NodeID, _ isDraining: Bool = true) {
        guard nodes.isRunning(id) else { return }
        let now = now
        perform(nodes.tellKeeper(of: id) { $0.drain(isDraining, at: now) }, of: id)
        wakeUpKeeper(id)
    }

    // MARK: Machinery

    private mutating func note(_ event: NodeNews.Event, of id: NodeID) {
        if carriesMessages { news.append(NodeNews(node: id, event: event)) }
    }

    /// The slot's next owner has what is not stored.
    mutating func left(_ slot: Slot, _ epoch: Epoch, of id: NodeID) {
        let now = now
        perform(nodes.tellKeeper(of: id) { $0.copied(slot, epoch, succeeded: true, at: now) }, of: id)
        wakeUpKeeper(id)
    }

    /// There is nothing to be told of the slot.
    mutating func leaveNothing(_ slot: Slot, _ epoch: Epoch, of id: NodeID, to successor: NodeID) {
        answer(.copied(slot, epoch, to: successor), to: id, within: 10)
    }

    /// All that a paused slot has decided is committed; or could not be.
    mutating func flushed(_ slot: Slot, _ epoch: Epoch, succeeded: Bool, of id: NodeID) {
        let now = now
        perform(nodes.tellKeeper(of: id) { $0.flushed(slot, epoch, succeeded: succeeded, at: now) }, of: id)
        wakeUpKeeper(id)
    }

    /// A lane has found that leases are gone.
    mutating func lost(_ slots: [Slot: Epoch], of id: NodeID) {
        let now = now
        perform(nodes.tellKeeper(of: id) { $0.lost(slots, at: now) }, of: id)
        wakeUpKeeper(id)
    }

    /// The node's clock was compared with Postgres's.
    mutating func clockCompared(isOff: Bool, of id: NodeID) {
        let now = now
        perform(nodes.tellKeeper(of: id) { $0.clockCompared(isOff: isOff, at: now) }, of: id)
        wakeUpKeeper(id)
    }

    mutating func startKeeper(of id: NodeID) {
        guard let machine = nodes[id]?.machine else { return }
        var keeper = SlotKeeper(identity: machine.identity, view: machine.view, at: now)
        let actions = keeper.open(at: now)
        nodes[id]?.keeper = keeper
        nodes[id]?.keeperDue = keeper.nextWakeUp
        perform(actions, of: id)
        schedule(after: .zero, on: id) { .heartbeat(id, process: $0) }
        wakeUpKeeper(id)
    }

    mutating func tellKeeper(of id: NodeID) {
        guard nodes.isRunning(id), let view = nodes[id]?.machine.view else { return }
        let now = now
        perform(nodes.tellKeeper(of: id) { $0.changed(view, at: now) }, of: id)
        wakeUpKeeper(id)
    }

    mutating func happenToKeeper(_ event: Event, of id: NodeID) {
        let now = now
        switch event {
        case .keeperWakeUp:
            perform(nodes.tellKeeper(of: id) { $0.advance(to: now) }, of: id)
        case .slotMessage(let message, let sender, _, _):
            perform(nodes.tellKeeper(of: id) { $0.received(message, from: sender, at: now) }, of: id)
        case .heartbeat:
            ask(.beat, for: id)
            schedule(after: Self.heartbeatInterval, on: id) { .heartbeat(id, process: $0) }
        case .outcome(let outcome, _, _):
            perform(report(outcome, to: id), of: id)
        default:
            break
        }
        wakeUpKeeper(id)
    }

    private mutating func report(_ outcome: Outcome, to id: NodeID) -> [SlotKeeper.Action] {
        let now = now
        switch outcome {
        case .heartbeat(let living):
            return nodes.tellKeeper(of: id) { $0.heartbeatAnswered(living: living, at: now) }
        case .condemned(let subject, let succeeded):
            return nodes.tellKeeper(of: id) { $0.condemned(subject, succeeded: succeeded, at: now) }
        case .tookOver(let epochs):
            return nodes.tellKeeper(of: id) { $0.tookOver(epochs, at: now) }
        case .released(let slot, let epoch, let outcome):
            return nodes.tellKeeper(of: id) { $0.released(slot, epoch, outcome, at: now) }
        case .leases(let leases):
            return nodes.tellKeeper(of: id) { $0.read(leases, at: now) }
        case .copied(let slot, let epoch, let target):
            let arrives = nodes.isRunning(target) && !network.isCut(from: id, to: target)
            return nodes.tellKeeper(of: id) { $0.copied(slot, epoch, succeeded: arrives, at: now) }
        case .flushed(let slot, let epoch):
            let isCommitted = reachesDatabase(id)
            return nodes.tellKeeper(of: id) { $0.flushed(slot, epoch, succeeded: isCommitted, at: now) }
        }
    }

    private mutating func perform(_ actions: [SlotKeeper.Action], of id: NodeID) {
        for action in actions {
            switch action {
            case .condemn(let subject): ask(.condemn(subject), for: id)
            case .acquit(let subject): ask(.acquit(subject), for: id)
            case .takeOver(let slots, let consented): ask(.takeOver(slots, consented: consented), for: id)
            case .release(let slot, let epoch, let successor): ask(.release(slot, epoch, to: successor), for: id)
            case .readLeases: ask(.readLeases, for: id)
            case .takeUp(let slots):
                slotCounts.takenUp += slots.count
                note(.takenUp(slots), of: id)
            case .giveUp(let slots):
                slotCounts.givenUp += slots.count
                note(.givenUp(slots), of: id)
            case .copy(let slot, let epoch, let target): answer(.copied(slot, epoch, to: target), to: id, within: 30)
            case .pauseAndFlush(let slot, let epoch):
                if carriesMessages {
                    note(.paused(slot, epoch), of: id)
                } else {
                    answer(.flushed(slot, epoch), to: id, within: 15)
                }
            case .sendDifference(let slot, let epoch, let target):
                if carriesMessages {
                    note(.leaving(slot, epoch, to: target), of: id)
                } else {
                    leaveNothing(slot, epoch, of: id, to: target)
                }
            case .resume(let slot, let epoch):
                slotCounts.resumed += 1
                note(.resumed(slot, epoch), of: id)
            case .sendOn(let slot, let successor, let epoch):
                slotCounts.handedOver += 1
                note(.sentOn(slot, to: successor, epoch), of: id)
            case .send(let message, let target):
                guard let process = nodes.process(of: target),
                    let arrival = network.arrival(from: id, to: target, at: now, using: &random)
                else { continue }
                let heard = wire.carry(message, from: id)
                queue.schedule(.slotMessage(heard, from: id, to: target, process: process), at: arrival)
            case .report(let isReady, let isDraining, let hasDatabase):
                let now = now
                let actions = nodes[id]?.machine.report(
                    isReady: isReady, isDraining: isDraining, hasDatabase: hasDatabase, at: now)
                perform(actions ?? [], of: id)
                wakeUp(id)
            case .endSessions:
                slotCounts.sessionsEnded += 1
                note(.sessionsEnded, of: id)
            case .drained(true):
                slotCounts.drained += 1
                note(.drained, of: id)
            case .drained(false): break
            case .learn(let routes): note(.learned(routes), of: id)
            case .unready(let reason, let isSo): if carriesMessages { note(.unready(reason, isSo), of: id) }
            case .dropCopy(let slot, _): note(.copyDropped(slot), of: id)
            }
        }
    }

    private mutating func answer(_ outcome: Outcome, to id: NodeID, within milliseconds: Int) {
        let wait = Duration.milliseconds(Int.random(in: 1...milliseconds, using: &random))
        schedule(after: wait, on: id) { .outcome(outcome, of: id, process: $0) }
    }

    // MARK: Postgres

    func reachesDatabase(_ id: NodeID) -> Bool { database.isUp && !cutFromDatabase.contains(id) }

    /// The statement travels; it is executed when it arrives, even if its sender is paused or gone by then.
    private mutating func ask(_ statement: Statement, for id: NodeID) {
        let wait = Duration.microseconds(Int.random(in: 300...3_000, using: &random))
        schedule(after: wait, on: id) { .statement(statement, of: id, process: $0) }
    }

    mutating func execute(_ statement: Statement, of id: NodeID, process: Int) {
        guard let identity = nodes.identity(of: id) else { return }
        let reaches = reachesDatabase(id)
        if reaches, case .release(let slot, _, _) = statement, isHeldUp(slot, of: identity) {
            queue.schedule(.statement(statement, of: id, process: process), at: now + .milliseconds(1))
            return
        }
        if !reaches { mayStandStill(in: statement, of: identity) }
        let answer = reaches ? carryOut(statement, for: identity) : nil
        let isHeard = reaches && !losesAnswer()
        guard let outcome = isHeard ? answer : Self.silence(about: statement) else { return }
        let wait = isHeard ? Duration.milliseconds(Int.random(in: 1...4, using: &random)) : Self.statementTimeout
        queue.schedule(.outcome(outcome, of: id, process: process), at: now + wait)
    }

    private mutating func losesAnswer() -> Bool {
        answerLoss > 0 && Double.random(in: 0..<1, using: &random) < answerLoss
    }

    private mutating func carryOut(_ statement: Statement, for identity: NodeIdentity) -> Outcome? {
        let now = now
        switch statement {
        case .beat:
            return database.beat(identity, at: now).map(Outcome.heartbeat)
        case .condemn(let subject):
            database.condemn(subject, by: identity, at: now)
            return .condemned(subject, true)
        case .acquit(let subject):
            database.acquit(subject, by: identity)
            return nil
        case .takeOver(let slots, let consented):
            return .tookOver(database.takeOver(slots, for: identity, consented: consented, at: now))
        case .release(let slot, let epoch, let successor):
            let given = database.release(slot, epoch, of: identity, to: successor, at: now)
            return .released(slot, epoch, given.map { .released($0) } ?? .refused)
        case .readLeases:
            return .leases(database.rows)
        }
    }

    /// What a node makes of it that Postgres says nothing.
    private static func silence(about statement: Statement) -> Outcome? {
        switch statement {
        case .beat, .acquit: nil
        case .condemn(let subject): .condemned(subject, false)
        case .takeOver: .tookOver(nil)
        case .release(let slot, let epoch, _): .released(slot, epoch, .unknown)
        case .readLeases: .leases(nil)
        }
    }

    // MARK: Transactions that stand still

    /// Whether the release has to wait: for the row that the lane's transaction holds, or for an earlier one that stands still.
    private func isHeldUp(_ slot: Slot, of owner: NodeIdentity) -> Bool {
        database.isLocked(LeaseDatabase.Process(node: owner.id, incarnation: owner.incarnation))
            || database.isLocked(slot, at: now)
    }

    /// The node has been cut off. The beginning of its transaction may have arrived, and its end may be on its way.
    private mutating func mayStandStill(in statement: Statement, of identity: NodeIdentity) {
        guard database.isUp, let slots = statement.lockedSlots, Bool.random(using: &random) else { return }
        database.standStill(with: slots, of: identity, at: now)
        let wait = Duration.milliseconds(Int.random(in: 1...3_000, using: &random))
        queue.schedule(.lateStatement(statement, of: identity), at: now + wait)
    }

    /// What was on its way arrives, if the node has a way to Postgres again. It waits for no answer any more.
    mutating func goOn(with statement: Statement, of identity: NodeIdentity) {
        guard reachesDatabase(identity.id), nodes.isRunning(identity.id), nodes.identity(of: identity.id) == identity,
            let slots = statement.lockedSlots, database.goOn(with: slots, of: identity, at: now)
        else { return }
        _ = carryOut(statement, for: identity)
    }

    mutating func wakeUpKeeper(_ id: NodeID) {
        let (due, planned) = nodes.keeperWakeUp(of: id)
        guard let time = due, let process = nodes.process(of: id), !nodes.isPaused(id) else { return }
        if let planned, planned <= time, planned > now { return }
        nodes.change(id) { $0.keeperWakeUpAt = time }
        queue.schedule(.keeperWakeUp(id, process: process), at: time)
    }
}

extension ClusterWorld.Statement {
    /// The slots whose leases are locked while it is carried out; nil where it is no transaction of several steps.
    fileprivate var lockedSlots: [Slot]? {
        switch self {
        case .takeOver(let slots, _): slots
        case .release(let slot, _, _): [slot]
        case .beat, .condemn, .acquit, .readLeases: nil
        }
    }
}
