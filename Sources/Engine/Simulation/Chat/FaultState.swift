import FluxCluster
import FluxCore
import FluxStore

/// What is broken at the moment, beyond what `ClusterWorld` knows.
struct FaultState {
    /// The share of Postgres's answers that are lost.
    var answerLoss = 0.0
    /// The share of batches that stall between fence and commit.
    var stalls = 0.0
    /// The share of batches in which Postgres refuses something that somebody wrote.
    var refusals = 0.0
    /// How long Postgres takes for a batch, at most, in milliseconds.
    var slowness = 3.0
}

extension ChatWorld {
    func losesAnswer() -> Bool { faults.answerLoss > 0 && chance(faults.answerLoss) }

    func batchDelay() -> Duration { milliseconds(0.2...max(0.4, faults.slowness)) }

    /// How long a batch stands between fence and commit.
    func stall(of node: NodeID) -> Duration {
        faults.stalls > 0 && chance(faults.stalls) ? milliseconds(200...4_000) : milliseconds(0.2...1)
    }

    /// The place of a change in the batch that Postgres refuses; nil for a batch that it takes.
    func refusedPosition(in batch: LaneBatch, of node: ChatNode) -> Int? {
        if let position = repeatedPosition(in: batch, of: node) { return position }
        guard faults.refusals > 0, chance(faults.refusals) else { return nil }
        return batch.mutations.indices.filter { batch.mutations[$0].change.isWritten }.randomElement(using: &random)
    }

    // MARK: Breaking

    /// Breaks something, and mends it after a while.
    func breakSomething() {
        if tryToBreakSomething() { auditor.faults += 1 }
    }

    /// - Returns: whether anything is broken that was not before.
    private func tryToBreakSomething() -> Bool {
        let ids = cluster.nodeIDs
        let one = pick(ids)
        let other = pick(ids)
        let time = milliseconds(200...9_000)
        let isRunning = cluster.running.contains(one)
        switch Int.random(in: 0..<(configuration.onlyNodesFail ? 5 : 21), using: &random) {
        case 0, 1, 2:
            guard isRunning else { return false }
            let death: ClusterWorld.Death = chance(0.7) ? .process : .host
            note("node \(one) dies (\(death)) for \(time)")
            change { $0.kill(one, death) }
            after(time) { [self] in start(again: one) }
        case 3, 4:
            guard isRunning, nodes[one]?.isPaused == false else { return false }
            note("node \(one) pauses for \(time)")
            change { $0.pause(one, for: time) }
        case 5:
            guard one != other else { return false }
            note("cut from \(one) to \(other) for \(time)")
            change { $0.network.cut(from: one, to: other) }
            after(time) { [self] in change { $0.network.mend(from: one, to: other) } }
        case 6:
            guard one != other else { return false }
            note("cut between \(one) and \(other) for \(time)")
            cut([one], from: [other], for: time)
        case 7:
            let group = ids.filter { _ in chance(0.4) }
            guard !group.isEmpty, group.count < ids.count else { return false }
            note("partition of \(group) for \(time)")
            cut(group, from: ids.filter { !group.contains($0) }, for: time)
        case 8:
            note("slow links for \(time)")
            change { $0.network.delay = .milliseconds(5) ... .milliseconds(120) }
            after(time) { [self] in change { $0.network.delay = .microseconds(100) ... .milliseconds(2) } }
        case 9, 10:
            guard one != other else { return false }
            note("link \(one)-\(other) breaks")
            change { $0.breakLink(one, other) }
        case 11:
            guard cluster.database.isUp else { return false }
            note("Postgres stops for \(time)")
            change { $0.stopDatabase() }
            after(time) { [self] in change { if !$0.database.isUp { $0.startDatabase() } } }
        case 12:
            guard !cluster.cutFromDatabase.contains(one) else { return false }
            note("node \(one) is cut from Postgres for \(time)")
            change { $0.cutFromDatabase(one) }
            after(time) { [self] in change { $0.cutFromDatabase(one, false) } }
        case 13:
            note("answers of Postgres get lost for \(time)")
            loseAnswers(0.1)
            after(time) { [self] in loseAnswers(0) }
        case 14, 15:
            note("batches stall for \(time)")
            faults.stalls = 0.1
            after(time) { [self] in faults.stalls = 0 }
        case 16:
            let offset = Int64.random(in: -3_000...3_000, using: &random)
            note("the clock of node \(one) is off by \(offset) ms for \(time)")
            setClock(of: one, to: offset)
            after(time) { [self] in setClock(of: one, to: 0) }
        case 17:
            note("Postgres refuses something for \(time)")
            faults.refusals = 0.05
            after(time) { [self] in faults.refusals = 0 }
        case 18:
            guard isRunning else { return false }
            note("node \(one) drains for \(time)")
            change { $0.drain(one) }
            after(time) { [self] in change { $0.drain(one, false) } }
        case 19:
            guard ids.count < configuration.nodes + Self.newcomerLimit,
                let newcomer = NodeID(rawValue: UInt16(ids.count + 1))
            else { return false }
            note("node \(newcomer) joins")
            start(again: newcomer)
        default:
            guard isRunning else { return false }
            // Mostly it has given away by then what it has; not always.
            let patience = milliseconds(200...6_000)
            note("node \(one) drains, leaves after \(patience) for \(time)")
            change { $0.drain(one) }
            after(patience) { [self] in
                change { $0.leave(one) }
                after(time) { [self] in start(again: one) }
            }
        }
        return true
    }

    /// How many nodes may join that were not there at the beginning.
    private static let newcomerLimit = 2

    private func cut(_ group: [NodeID], from others: [NodeID], for time: Duration) {
        change { $0.network.cut(between: group, and: others) }
        after(time) { [self] in change { $0.network.mend(between: group, and: others) } }
    }

    private func note(_ text: @autoclosure () -> String) { auditor.trace(now, "FAULT \(text())") }

    private func start(again node: NodeID) { change { $0.start(node) } }

    private func loseAnswers(_ share: Double) {
        faults.answerLoss = share
        change { $0.answerLoss = share }
    }

    private func setClock(of node: NodeID, to offset: Int64) {
        clockOffsets[node] = offset
        change { $0.clockCompared(isOff: abs(offset) > 1_000, of: node) }
    }

    /// Mends everything.
    func heal() {
        auditor.trace(now, "everything is mended")
        faults = FaultState()
        clockOffsets = [:]
        let gaps = swallowed.sorted { ($0.source, $0.target) < ($1.source, $1.target) }
        change { world in
            for gap in gaps { world.breakLink(gap.source, gap.target) }
            world.network.heal()
            world.network.loss = 0
            world.answerLoss = 0
            world.network.delay = .microseconds(100) ... .milliseconds(2)
            if !world.database.isUp { world.startDatabase() }
            for node in world.nodeIDs {
                world.cutFromDatabase(node, false)
                world.start(node)
                world.drain(node, false)
                world.clockCompared(isOff: false, of: node)
            }
        }
    }
}

extension Change {
    /// Whether somebody wrote this in a channel, unlike what only tells how something stands.
    fileprivate var isWritten: Bool {
        switch self {
        case .createMessage, .updateMessage, .deleteMessages, .reaction, .clearReactions: true
        case .logOnly, .void, .statements, .counter: false
        }
    }
}
