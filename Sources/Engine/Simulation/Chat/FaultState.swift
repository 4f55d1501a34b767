import FluxCluster
import FluxCore
import FluxStore

/// What is broken at the moment, beyond what `ClusterWorld` knows.
struct FaultState {
    /// The share of Postgres's answers that are lost.
    var answerLoss = 0.0
    /// The share of batches that stall between fence and commit.
    var stalls = 0.0
    /// The share of creates that Postgres refuses.
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
        return batch.mutations.firstIndex { if case .createMessage = $0.change { true } else { false } }
    }

    // MARK: Breaking

    /// Breaks something, and mends it after a while.
    func breakSomething() {
        let ids = cluster.nodeIDs
        let one = pick(ids)
        let other = pick(ids)
        let time = milliseconds(200...9_000)
        auditor.faults += 1
        switch Int.random(in: 0..<(configuration.onlyNodesFail ? 5 : 20), using: &random) {
        case 0, 1, 2:
            let death: ClusterWorld.Death = chance(0.7) ? .process : .host
            note("node \(one) dies (\(death)) for \(time)")
            change { $0.kill(one, death) }
            after(time) { [self] in start(again: one) }
        case 3, 4:
            note("node \(one) pauses for \(time)")
            change { $0.pause(one, for: time) }
        case 5:
            guard one != other else { return }
            note("cut from \(one) to \(other) for \(time)")
            change { $0.network.cut(from: one, to: other) }
            mend(after: time)
        case 6:
            guard one != other else { return }
            note("cut between \(one) and \(other) for \(time)")
            change { $0.network.cut(between: [one], and: [other]) }
            mend(after: time)
        case 7:
            let group = ids.filter { _ in chance(0.4) }
            note("partition of \(group) for \(time)")
            change { $0.network.cut(between: group, and: ids.filter { !group.contains($0) }) }
            mend(after: time)
        case 8:
            note("slow links for \(time)")
            change { $0.network.delay = .milliseconds(5) ... .milliseconds(120) }
            after(time) { [self] in change { $0.network.delay = .microseconds(100) ... .milliseconds(2) } }
        case 9, 10:
            guard one != other else { return }
            note("link \(one)-\(other) breaks")
            change { $0.breakLink(one, other) }
        case 11:
            note("Postgres stops for \(time)")
            change { $0.stopDatabase() }
            after(time) { [self] in change { if !$0.database.isUp { $0.startDatabase() } } }
        case 12:
            note("node \(one) is cut from Postgres for \(time)")
            change { $0.cutFromDatabase(one) }
            after(time) { [self] in change { $0.cutFromDatabase(one, false) } }
        case 13:
            note("answers of Postgres get lost for \(time)")
            faults.answerLoss = 0.1
            after(time) { [self] in faults.answerLoss = 0 }
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
            note("Postgres refuses messages for \(time)")
            faults.refusals = 0.05
            after(time) { [self] in faults.refusals = 0 }
        case 18:
            note("node \(one) drains for \(time)")
            change { $0.drain(one) }
            after(time) { [self] in change { $0.drain(one, false) } }
        default:
            note("node \(one) leaves for \(time)")
            change { $0.leave(one) }
            after(time) { [self] in start(again: one) }
        }
    }

    private func note(_ text: @autoclosure () -> String) { auditor.trace(now, "FAULT \(text())") }

    private func mend(after time: Duration) { after(time) { [self] in change { $0.network.heal() } } }

    private func start(again node: NodeID) { change { $0.start(node) } }

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
