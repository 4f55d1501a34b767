import FluxCluster
import FluxCore
import FluxStore

/// The lane's shell: what `LaneWriter` does with a thread and a connection, and what Postgres answers.
extension ChatNode {
    /// What the lane has asked for and was not told of.
    enum LaneTask { case connecting, resolving, committing }

    /// Who wants to know what becomes of a mutation.
    struct Settlement {
        let slot: Slot
        let epoch: Epoch
        let completion: (LaneOutcome.Result) -> Void
    }

    /// How long a commit without an answer is waited for on a network that swallows everything.
    private static let unacknowledgedTimeout = Duration.seconds(5)

    /// Hands a change to the lane.
    func commit(
        _ change: Change, slot: Slot, epoch: Epoch, _ completion: @escaping (LaneOutcome.Result) -> Void
    ) throws(StoreError) {
        lastMutation += 1
        let id = MutationID(lastMutation)
        let mutation = Mutation(id: id, slot: slot, epoch: epoch, origin: 0, change: change)
        let wakes = try lane.admit(mutation, at: world.now)
        settlements[id] = Settlement(slot: slot, epoch: epoch, completion: completion)
        if wakes { world.atEndOfTurn { [self] in workLane() } }
    }

    /// Does what the lane says until it waits for something.
    func workLane() {
        guard isRunning, !isPaused else { return }
        while laneTask == nil {
            switch lane.next(at: world.now) {
            case .connect:
                laneTask = .connecting
                connectLane()
            case .resolve:
                laneTask = .resolving
                resolveLane()
            case .commit(let batch):
                laneTask = .committing
                commitLane(batch)
            case .wait(let until):
                settle()
                return sleepLane(until: until)
            case .finish:
                return settle()
            }
            settle()
        }
    }

    private func sleepLane(until time: Duration?) {
        guard let time else { return }
        if let planned = laneWakeUp, planned <= time, planned > world.now { return }
        laneWakeUp = time
        world.after(time - world.now, on: self) { [unowned self] in
            if laneWakeUp == time { laneWakeUp = nil }
            workLane()
        }
    }

    /// Something has come of what the lane asked for.
    private func report(_ task: LaneTask, _ connection: Int, _ body: (inout Lane) -> Void) {
        guard laneTask == task, laneConnection == connection else { return }
        laneTask = nil
        body(&lane)
        settle()
        workLane()
    }

    private func loseLane(_ task: LaneTask, _ connection: Int) {
        let jitter = Double.random(in: 0...1, using: &world.random)
        let now = world.now
        report(task, connection) { lane in
            laneConnection += 1
            lane.disconnected(at: now, jitter: jitter)
        }
    }

    private func settle() {
        let outcomes = lane.takeOutcomes()
        guard !outcomes.isEmpty else { return }
        var lost: [Slot: Epoch] = [:]
        for outcome in outcomes {
            guard let settlement = settlements.removeValue(forKey: outcome.id) else { continue }
            if outcome.result == .lost { lost[settlement.slot] = max(lost[settlement.slot] ?? 0, settlement.epoch) }
            settlement.completion(outcome.result)
        }
        if !lost.isEmpty { world.atEndOfTurn { [self] in world.change { $0.lost(lost, of: id) } } }
        finishFlushes()
    }

    // MARK: Postgres

    private func connectLane() {
        let connection = laneConnection
        world.after(world.milliseconds(0.5...3), on: self) { [unowned self] in
            guard world.reachesDatabase(self) else { return loseLane(.connecting, connection) }
            report(.connecting, connection) { $0.connected() }
        }
    }

    private func resolveLane() {
        let (connection, process) = (laneConnection, process)
        world.after(world.milliseconds(0.2...2)) { [self] in
            guard world.reachesDatabase(self) else { return silence(.resolving, connection) }
            world.cluster.database.end(process)
            let row = world.cluster.database.renewLane(of: process)
            let leases = world.cluster.database.leases(of: process)
            guard !world.losesAnswer() else { return silence(.resolving, connection) }
            world.after(world.milliseconds(0.3...3), on: self) { [unowned self] in
                let now = world.now
                report(.resolving, connection) { lane in
                    guard let row else { return lane.superseded() }
                    lane.resolved(LaneView(generation: row.generation, batch: row.batch, leases: leases), at: now)
                }
            }
        }
    }

    private func commitLane(_ batch: LaneBatch) {
        let (connection, process) = (laneConnection, process)
        world.after(world.batchDelay()) { [self] in
            guard world.reachesDatabase(self) else { return silence(.committing, connection) }
            guard
                let transaction = world.cluster.database.begin(
                    process, generation: batch.generation, batch: batch.number)
            else {
                world.auditor.trace(world.now, "node \(id): the fence refuses batch \(batch.number)")
                return answer(.committing, connection) { $0.fenced() }
            }
            if let suspect = world.refusedPosition(in: batch, of: self) {
                world.cluster.database.end(process)
                let now = world.now
                return answer(.committing, connection) { lane in
                    lane.refused(.constraint(name: "check", sqlState: "23514"), suspects: [suspect], at: now)
                }
            }
            world.after(world.stall(of: id)) { [self] in
                let isIn = world.cluster.database.commit(process, transaction: transaction, batch: batch.number)
                guard world.cluster.database.isUp, isIn else { return silence(.committing, connection) }
                world.take(batch, of: process)
                guard world.reachesDatabase(self), !world.losesAnswer() else { return silence(.committing, connection) }
                answer(.committing, connection) { $0.committed() }
            }
        }
    }

    private func answer(_ task: LaneTask, _ connection: Int, _ body: @escaping (inout Lane) -> Void) {
        world.after(world.milliseconds(0.1...1.5), on: self) { [unowned self] in report(task, connection, body) }
    }

    /// No answer comes: at once where the server's host says so, after a while where the network swallows it.
    private func silence(_ task: LaneTask, _ connection: Int) {
        let wait = world.cluster.database.isUp ? Self.unacknowledgedTimeout : .milliseconds(2)
        world.after(wait, on: self) { [unowned self] in loseLane(task, connection) }
    }
}

extension ChatWorld {
    /// A batch commits.
    fileprivate func take(_ batch: LaneBatch, of process: LeaseDatabase.Process) {
        let mutations = batch.mutations
        for mutation in mutations {
            let lease = cluster.database.lease(of: mutation.slot)
            let isHolder = lease?.node == process.node && lease?.incarnation == process.incarnation
            messages.commit(mutation, lease: isHolder ? lease?.epoch : nil)
        }
        auditor.trace(
            now,
            "node \(process.node) commits batch \(batch.number): \(mutations.map(\.change.short).joined(separator: " "))"
        )
        for violation in messages.takeViolations() { auditor.violate(now, violation) }
    }
}

extension Change {
    /// The change in a few letters, for traces.
    fileprivate var short: String {
        switch self {
        case .createMessage(let row): "+\(row.message.channelID.short):\(row.message.seq)"
        case .updateMessage(_, let entry): "~\(entry.channelID.short):\(entry.seq)"
        case .deleteMessages(_, let channel, let entry): "-\(channel.short):\(entry.seq)"
        case .logOnly(let entry, _): "!\(entry.channelID.short):\(entry.seq)"
        case .void(let channel, let sequence, _, _): "0\(channel.short):\(sequence)"
        case .statements(let statements): "s\(statements.count)"
        default: "?"
        }
    }
}
