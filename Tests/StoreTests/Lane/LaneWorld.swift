import FluxCore
import FluxFuzzing

@testable import FluxStore

/// A lane, a model Postgres and a bad network between them, moved by a seed: every step is one event that could happen
/// then, and what must hold is checked as it goes.
final class LaneWorld {
    private var generator: SeededGenerator
    private var lane: Lane
    private var postgres = ModelPostgres()
    private var now: Duration = .zero
    private let limits: LaneLimits

    /// What the shell has been asked to do and has not reported on.
    private enum Task {
        case connect
        /// `answer` is what Postgres has said, which has not arrived yet.
        case resolve(answer: LaneView?)
        case commit(LaneBatch, answer: ModelPostgres.Answer?)
    }

    private var task: Task?
    /// Copies of batches that are still on their way to Postgres.
    private var ghosts: [LaneBatch] = []

    // What the node's actors believe and have decided.
    private var believed: [Slot: Epoch] = [:]
    private var sequences: [Slot: SequenceNumber] = [:]
    private var nextID: UInt64 = 0
    private var poisoned: Set<MutationID> = []
    private var open: Set<MutationID> = []
    private var counters: [MutationID: CounterKey] = [:]
    private var results: [MutationID: LaneOutcome.Result] = [:]

    private(set) var violations: [String] = []
    /// What happened how often, so that a test can see that a run was worth something.
    private(set) var happened: [String: Int] = [:]

    private static let slots: [Slot] = (0..<5).compactMap { Slot(rawValue: $0) }

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var limits = LaneLimits()
        limits.batchRows = Int.random(in: 1...12, using: &generator)
        limits.rows = Int.random(in: 20...200, using: &generator)
        self.limits = limits
        self.generator = generator
        lane = Lane(limits: limits)
        for slot in Self.slots { acquire(slot, byUs: chance(0.5)) }
    }

    /// Lets `steps` events happen, then lets the network be good and the lane end, and checks what is left.
    func run(steps: Int) {
        for _ in 0..<steps where violations.isEmpty {
            step()
            check()
        }
        guard violations.isEmpty else { return }
        lane.close()
        end()
        check()
        checkEnd()
    }

    // MARK: Events

    private func step() {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<45: decide()
        case 45..<48: acquire(pick(Self.slots), byUs: Bool.random(using: &generator))
        case 48..<52: now += .milliseconds(Int.random(in: 1...1500, using: &generator))
        case 52..<53: now += .seconds(Int.random(in: 5...40, using: &generator))
        case 53..<56: deliverGhost()
        case 56..<58: lane.withdrawOverdue(at: now)
        default: work()
        }
        takeOutcomes()
    }

    private func acquire(_ slot: Slot, byUs: Bool) {
        let epoch = postgres.acquire(slot, byUs: byUs)
        note(byUs ? "acquired" : "taken")
        // The loser learns of it late: until then it goes on deciding, under an epoch that is over.
        guard byUs else { return }
        believed[slot] = epoch
        sequences[slot] = postgres.lastSequence(of: slot)
    }

    private func decide() {
        let slot = pick(Self.slots)
        guard let epoch = believed[slot] else { return }
        nextID += 1
        let id = MutationID(nextID)
        let sequence = sequences[slot, default: 0] + 1
        let change: Change
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: change = .statements([.begin])
        case 1, 2:
            let key = CounterKey(kind: 1, Snowflake(UInt64.random(in: 0..<3, using: &generator)), Snowflake(1))
            counters[id] = key
            change = .counter(key, .begin)
        case 3:
            change = .logOnly(
                LogEntry(
                    channelID: Snowflake(UInt64(slot.rawValue)), seq: sequence, epoch: epoch, kind: .messageDelete,
                    messageID: nil, payload: []), about: .messages([]))
        default:
            change = .createMessage(
                MessageRow(
                    Message(
                        id: Snowflake(nextID), channelID: Snowflake(UInt64(slot.rawValue)), authorID: Snowflake(1),
                        content: "x", seq: sequence, epoch: epoch)))
        }
        if Int.random(in: 0..<30, using: &generator) == 0 { poisoned.insert(id) }
        do throws(StoreError) {
            _ = try lane.admit(Mutation(id: id, slot: slot, epoch: epoch, origin: 0, change: change), at: now)
            open.insert(id)
            if change.number != nil { sequences[slot] = sequence }
            note("admitted")
        } catch {
            // A number whose change was not taken is given again.
            counters[id] = nil
            note("refused at a bound")
        }
    }

    /// A copy of a batch that was given up arrives after all.
    private func deliverGhost() {
        guard !ghosts.isEmpty else { return }
        let ghost = ghosts.remove(at: Int.random(in: ghosts.indices, using: &generator))
        if case .committed = postgres.commit(ghost, poisoned: poisoned) { note("late batch went in") }
    }

    /// The shell does something, or something becomes of what it does.
    private func work() {
        switch task {
        case nil: ask()
        case .connect: connect()
        case .resolve(let answer): resolve(answer)
        case .commit(let batch, let answer): commit(batch, answer)
        }
    }

    private func ask() {
        switch lane.next(at: now) {
        case .connect: task = .connect
        case .resolve: task = .resolve(answer: nil)
        case .commit(let batch):
            if batch.count > limits.batchRows { violations.append("a batch of \(batch.count) rows") }
            task = .commit(batch, answer: nil)
        case .wait(let until):
            if let until, until <= now { violations.append("a wait that is over at once") }
            if let until, Bool.random(using: &generator) { now = until }
        case .finish: violations.append("the lane ended by itself")
        }
    }

    private func connect() {
        task = nil
        if chance(0.8) { lane.connected() } else { lose() }
    }

    private func resolve(_ answer: LaneView?) {
        if let answer {
            task = nil
            if chance(0.1) { return lose() }
            note("resolved")
            return lane.resolved(answer, at: now)
        }
        switch Int.random(in: 0..<10, using: &generator) {
        case 0:
            task = nil
            lose()
        case 1:
            task = nil
            lane.failed(at: now, jitter: 0)
        default: task = .resolve(answer: postgres.resolve())
        }
    }

    private func commit(_ batch: LaneBatch, _ answer: ModelPostgres.Answer?) {
        if let answer {
            task = nil
            if chance(0.1) {
                note("answer lost")
                return lose()
            }
            switch answer {
            case .committed: lane.committed()
            case .fenced: lane.fenced()
            case .refused(let faults):
                note("refused")
                // The statement at fault has other mutations in it too, or is not known.
                let others = batch.entries.indices.filter { _ in Bool.random(using: &generator) }
                lane.refused(.invalid("poison"), suspects: chance(0.3) ? [] : faults + others, at: now)
            }
            return
        }
        switch Int.random(in: 0..<20, using: &generator) {
        case 0:
            task = nil
            note("batch lost")
            lose()
        case 1:
            task = nil
            note("batch late")
            ghosts.append(batch)
            lose()
        case 2:
            task = nil
            note("failed for the moment")
            lane.failed(at: now, jitter: 0)
        default: task = .commit(batch, answer: postgres.commit(batch, poisoned: poisoned))
        }
    }

    private func lose() { lane.disconnected(at: now, jitter: Double.random(in: 0...1, using: &generator)) }

    /// Everything works from here on.
    private func end() {
        for _ in 0..<100_000 {
            defer { takeOutcomes() }
            switch task {
            case .connect: lane.connected()
            case .resolve(let answer): lane.resolved(answer ?? postgres.resolve(), at: now)
            case .commit(let batch, let answer):
                switch answer ?? postgres.commit(batch, poisoned: poisoned) {
                case .committed: lane.committed()
                case .fenced: lane.fenced()
                case .refused(let faults): lane.refused(.invalid("poison"), suspects: faults, at: now)
                }
            case nil:
                switch lane.next(at: now) {
                case .connect: task = .connect
                case .resolve: task = .resolve(answer: nil)
                case .commit(let batch): task = .commit(batch, answer: nil)
                case .wait(let until):
                    guard let until else { return violations.append("closed, it waits without end") }
                    now = until
                case .finish: return
                }
                continue
            }
            task = nil
        }
        violations.append("closed, it does not end")
    }

    // MARK: Checks

    private func takeOutcomes() {
        for outcome in lane.takeOutcomes() {
            guard open.remove(outcome.id) != nil else {
                violations.append("\(outcome.id) has a second outcome, or was never admitted")
                continue
            }
            results[outcome.id] = outcome.result
            note("\(outcome.result)".prefix { $0.isLetter }.description)
            let isHeld = isHeld(outcome.id)
            if outcome.result == .committed, !isHeld { violations.append("\(outcome.id) told committed, is not in") }
        }
    }

    /// Whether a mutation is in; a value that was coalesced also by a later one of its key.
    private func isHeld(_ id: MutationID) -> Bool {
        guard let key = counters[id] else { return postgres.held.contains(id) }
        return postgres.values[key]?.contains { $0.rawValue >= id.rawValue } == true
    }

    private func check() {
        violations += postgres.violations
        if lane.rowCount < open.count {
            violations.append("\(lane.rowCount) rows, but \(open.count) mutations are open")
        }
        if lane.byteCount < 0 { violations.append("\(lane.byteCount) bytes") }
    }

    private func checkEnd() {
        if !open.isEmpty { violations.append("no outcome for \(open.map(\.rawValue).sorted())") }
        if lane.rowCount != 0 || lane.byteCount != 0 {
            violations.append("\(lane.rowCount) rows and \(lane.byteCount) bytes are left")
        }
        for (id, result) in results where counters[id] == nil {
            if (result == .committed) != postgres.held.contains(id) {
                violations.append("\(id) told \(result), and is \(postgres.held.contains(id) ? "" : "not ")in")
            }
        }
        // A late batch of an earlier generation changes nothing any more.
        for ghost in ghosts {
            if case .committed = postgres.commit(ghost, poisoned: poisoned) { violations.append("a ghost went in") }
        }
    }

    private func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &generator) < probability }

    private func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &generator)]
    }

    private func note(_ what: String) { happened[what, default: 0] += 1 }
}
