import DequeModule
import FluxCore

/// One write-behind pipeline, without I/O: what is to be committed next, and what became of everything that was.
/// Guarantees I1, I3 and I4 for the slots of one lane (design 6).
///
/// A shell asks `next` what to do, does it, and reports what came of it through the other functions; each may leave
/// outcomes for the senders, which `takeOutcomes` hands over. Times are durations since an arbitrary fixed moment.
///
/// - A batch is taken of all that has gathered while the one before was under way: group commit without a timer.
/// - At most one batch is under way. When its answer is lost, or its fence refuses, the lane resolves: it begins a new
///   generation, which no copy of an earlier batch can survive, and reads from the same transaction whether the batch is
///   in and which slots are still owned. Whatever is no longer owned ends as `.lost`.
/// - A mutation is sent only when the last resolution has seen a lease of its slot and epoch. One of an unknown, newer
///   epoch makes the lane resolve first. A resolution has the last word only on what was admitted before it was begun:
///   later a lease may have been acquired that it did not see.
/// - A batch that Postgres refuses is divided until the mutation at fault is alone. Its number becomes a void entry,
///   which stands where the mutation stood.
/// - What has waited too long and is in no batch under way is withdrawn, and its number becomes void too, in its place:
///   numbers of a slot are committed in the order in which they were admitted, whatever becomes of them, so that a
///   channel's log never has a hole behind which it goes on.
public struct Lane: ~Copyable {
    /// What the shell is to do.
    public enum Action: Sendable {
        /// Connect, then report `connected` or `disconnected`.
        case connect
        /// Begin a new generation and read the lane's row and the leases, then report `resolved`, `superseded`, `failed`
        /// or `disconnected`.
        case resolve
        /// Commit, then report `committed`, `refused`, `fenced`, `failed` or `disconnected`.
        case commit(LaneBatch)
        /// Wait until `admit` asks for a wake-up, the connection dies, or this time; then ask again.
        case wait(until: Duration?)
        /// Everything has had its outcome and nothing more will come: end.
        case finish
    }

    /// Counts since the lane began, for metrics.
    public struct Statistics: Sendable, Equatable {
        public var committed = 0
        public var refused = 0
        public var withdrawn = 0
        public var lost = 0
        public var voids = 0
        public var batches = 0
        public var fenceRefusals = 0
        public var resolutions = 0
    }

    private enum State {
        /// Without a connection until then.
        case away(until: Duration, unresolved: LaneBatch?)
        case connecting(unresolved: LaneBatch?)
        /// Connected, but what Postgres holds is not known; not before then.
        case unresolved(LaneBatch?, notBefore: Duration)
        case resolving(LaneBatch?)
        /// Able to commit, not before then.
        case ready(notBefore: Duration)
        case committing(LaneBatch)
        /// Another incarnation has removed the lane.
        case superseded
    }

    private var state: State = .away(until: .zero, unresolved: nil)
    private var generation: Int64 = 0
    private var batchNumber: Int64 = 0
    private var ownership = LaneOwnership()

    /// Parts of batches that did not get in; each goes as a batch of its own, before all that follows.
    private var retries: Deque<[LaneEntry]> = []
    /// Void entries of what was withdrawn from `pending`: older than all of it, younger than all that is tried again.
    private var voids: Deque<LaneEntry> = []
    private var pending: Deque<LaneEntry> = []
    private var counters: LaneCounters

    /// Mutations admitted since the lane began.
    private var admitted: UInt64 = 0
    /// How many of them had been admitted when the last resolution began.
    private var resolvedUpTo: UInt64 = 0
    /// A mutation of an epoch that the last resolution has not seen is next.
    private var needsResolution = false

    private var outcomes: [LaneOutcome] = []
    private var isClosed = false
    private var isWaiting = false
    private var failures = 0
    private let limits: LaneLimits

    /// Mutations that wait or are under way.
    public private(set) var rowCount = 0
    /// Memory that they hold.
    public private(set) var byteCount = 0
    public private(set) var statistics = Statistics()

    public init(limits: LaneLimits) {
        self.limits = limits
        counters = LaneCounters(interval: limits.counterInterval)
    }

    // MARK: Asking

    /// When the oldest mutation that has no outcome yet was admitted.
    public var oldest: Duration? {
        var oldest = underWay?.oldest
        Self.lower(&oldest, to: retries.first?.first?.admittedAt)
        Self.lower(&oldest, to: voids.first?.admittedAt)
        Self.lower(&oldest, to: pending.first?.admittedAt)
        return oldest
    }

    private static func lower(_ time: inout Duration?, to other: Duration?) {
        if let other, time.map({ other < $0 }) ?? true { time = other }
    }

    /// Takes the outcomes since the last call, in the order in which they came about.
    public mutating func takeOutcomes() -> [LaneOutcome] {
        defer { outcomes = [] }
        return outcomes
    }

    // MARK: Events

    /// A mutation has come. Returns whether the shell, if it waits, has to be woken.
    public mutating func admit(_ mutation: Mutation, at now: Duration) throws(StoreError) -> Bool {
        if case .superseded = state { throw .fenced }
        if isClosed { throw .closed }
        guard rowCount < limits.rows, byteCount + mutation.byteCount <= limits.bytes || rowCount == 0 else {
            throw .overloaded
        }
        if let oldest, now - oldest > limits.age { throw .overloaded }
        admitted += 1
        let entry = LaneEntry(mutation: mutation, admittedAt: now, serial: admitted)
        rowCount += 1
        byteCount += mutation.byteCount
        if case .counter(let key, _) = mutation.change {
            byteCount -= counters.put(entry, key: key, at: now)
        } else {
            pending.append(entry)
        }
        guard isWaiting, case .ready(let notBefore) = state, now >= notBefore else { return false }
        isWaiting = false
        return true
    }

    /// Withdraws what has waited too long. `next` does so too; a shell that waits long for an answer calls this meanwhile.
    public mutating func withdrawOverdue(at now: Duration) {
        let limit = limits.withdrawal
        func isOver(_ entry: LaneEntry) -> Bool { !entry.isOrphan && now - entry.admittedAt >= limit }
        guard let oldestWaiting, now - oldestWaiting >= limit else { return }
        var withdrawn: [LaneEntry] = []
        for index in retries.indices where retries[index].contains(where: isOver) {
            var kept: [LaneEntry] = []
            for entry in retries[index] {
                if isOver(entry) {
                    withdrawn.append(entry)
                    if let void = entry.void { kept.append(hold(void)) }
                } else {
                    kept.append(entry)
                }
            }
            retries[index] = kept
        }
        retries.removeAll(where: \.isEmpty)
        while let first = pending.first, isOver(first) {
            withdrawn.append(first)
            pending.removeFirst()
            if let void = first.void { voids.append(hold(void)) }
        }
        finish(withdrawn, .withdrawn)
        finish(counters.remove(where: isOver), .withdrawn)
    }

    /// The slot is about to be another node's: its coalesced values do not wait for their time. Returns whether the shell,
    /// if it waits, has to be woken.
    public mutating func hasten(_ slot: Slot, at now: Duration) -> Bool {
        guard counters.hasten(slot, at: now), isWaiting, case .ready(let notBefore) = state, now >= notBefore else {
            return false
        }
        isWaiting = false
        return true
    }

    /// Nothing more will be admitted; what is here is still brought to its end. The shell has to be woken.
    public mutating func close() { isClosed = true }

    /// The shell asks what to do.
    public mutating func next(at now: Duration) -> Action {
        isWaiting = false
        withdrawOverdue(at: now)
        switch state {
        case .superseded:
            return isClosed ? .finish : wait(until: nil)
        case .away(let until, let batch):
            if isClosed, batch == nil, oldestWaiting == nil {
                giveUpVoids()
                return .finish
            }
            guard now >= until else { return wait(until: until) }
            state = .connecting(unresolved: batch)
            return .connect
        case .connecting:
            return .connect
        case .unresolved(let batch, let notBefore):
            guard now >= notBefore else { return wait(until: notBefore) }
            return resolve(batch)
        case .resolving:
            return .resolve
        case .committing(let batch):
            return .commit(batch)
        case .ready(let notBefore):
            guard now >= notBefore else { return wait(until: notBefore) }
            return commit(at: now)
        }
    }

    /// A connection has been made.
    public mutating func connected() {
        guard case .connecting(let batch) = state else { return }
        state = .unresolved(batch, notBefore: .zero)
    }

    /// There is no connection, or it has died. `jitter` (0 to 1) spreads the attempts of many lanes.
    public mutating func disconnected(at now: Duration, jitter: Double) {
        guard !isSuperseded else { return }
        state = .away(until: now + backoff(jitter), unresolved: underWay)
    }

    /// Postgres's word on the lane.
    public mutating func resolved(_ view: LaneView, at now: Duration) {
        guard case .resolving(let batch) = state else { return }
        generation = view.generation
        batchNumber = view.batch
        ownership.replace(with: view.leases)
        failures = 0
        state = .ready(notBefore: .zero)
        if let batch {
            if batch.number == view.batch {
                finish(batch.entries, .committed)
            } else {
                putBack(batch.entries, at: now)
            }
        }
        dropWhatIsNotOwned()
    }

    /// The lane has no row any more: a newer incarnation of this node runs.
    public mutating func superseded() {
        if let batch = underWay { finish(batch.entries, .lost) }
        state = .superseded
        resolvedUpTo = admitted
        ownership.replace(with: [:])
        dropWhatIsNotOwned()
    }

    /// The batch under way is durable.
    public mutating func committed() {
        guard case .committing(let batch) = state else { return }
        batchNumber = batch.number
        failures = 0
        statistics.batches += 1
        state = .ready(notBefore: .zero)
        finish(batch.entries, .committed)
    }

    /// The fence refused the batch under way: another generation has begun, or the batch is in already.
    public mutating func fenced() {
        guard case .committing(let batch) = state else { return }
        statistics.fenceRefusals += 1
        state = .unresolved(batch, notBefore: .zero)
    }

    /// Postgres refused the batch under way, for good, and nothing of it is in. `suspects` are the positions in the batch
    /// that the failed statement was made of; empty when that is not known.
    public mutating func refused(_ error: StoreError, suspects: [Int], at now: Duration) {
        guard case .committing(let batch) = state else { return }
        state = .ready(notBefore: .zero)
        let known = suspects.filter(batch.entries.indices.contains).sorted()
        let suspects = known.isEmpty ? Array(batch.entries.indices) : known
        guard suspects.count > 1 else {
            var entries = batch.entries
            replaceRefused(&entries, at: suspects[0], error)
            putBack(entries, at: now)
            return
        }
        // Cut so that both parts have fewer suspects than the whole: this comes to an end.
        let middle = suspects[suspects.count / 2]
        putBack(Array(batch.entries[middle...]), at: now)
        putBack(Array(batch.entries[..<middle]), at: now)
    }

    /// What was under way has failed for a reason that will pass, on a connection that lives; nothing of it is in.
    public mutating func failed(at now: Duration, jitter: Double) {
        switch state {
        case .committing(let batch):
            state = .ready(notBefore: now + backoff(jitter))
            putBack(batch.entries, at: now)
        case .resolving(let batch):
            state = .unresolved(batch, notBefore: now + backoff(jitter))
        case .away, .connecting, .unresolved, .ready, .superseded:
            break
        }
    }

    // MARK: Machinery

    private var isSuperseded: Bool {
        if case .superseded = state { true } else { false }
    }

    private var isEmpty: Bool { voids.isEmpty && retries.isEmpty && pending.isEmpty && counters.isEmpty }

    /// The batch whose fate is not known.
    private var underWay: LaneBatch? {
        switch state {
        case .away(_, let batch), .connecting(let batch), .unresolved(let batch, _), .resolving(let batch): batch
        case .committing(let batch): batch
        case .ready, .superseded: nil
        }
    }

    private mutating func wait(until time: Duration?) -> Action {
        isWaiting = true
        let withdrawal = oldestWaiting.map { $0 + limits.withdrawal }
        return .wait(until: [time, withdrawal].compactMap { $0 }.min())
    }

    private mutating func backoff(_ jitter: Double) -> Duration {
        failures += 1
        let doubled = Duration.milliseconds(25) * (1 << min(failures, 12))
        return min(.seconds(2), doubled) * (0.5 + jitter / 2)
    }

    private mutating func resolve(_ batch: LaneBatch?) -> Action {
        state = .resolving(batch)
        resolvedUpTo = admitted
        needsResolution = false
        statistics.resolutions += 1
        return .resolve
    }

    private mutating func commit(at now: Duration) -> Action {
        // What could be committed before a mutation of an unknown epoch is in by now.
        if needsResolution { return resolve(nil) }
        let entries = gather(at: now)
        if !entries.isEmpty {
            let batch = LaneBatch(number: batchNumber + 1, generation: generation, entries: entries)
            state = .committing(batch)
            return .commit(batch)
        }
        if needsResolution { return resolve(nil) }
        if isClosed, isEmpty { return .finish }
        return wait(until: counters.nextDue)
    }

    /// Takes what the next batch is made of, within the bounds of a batch. Stops before what needs a resolution.
    private mutating func gather(at now: Duration) -> [LaneEntry] {
        // Retries were found to be owned when they were last taken, and a resolution since then would have dropped them.
        if let retry = retries.popFirst() { return retry }
        // Values that are coalesced have a part of each batch to themselves, so that no load of the rest keeps them out.
        let room = limits.batchRows - min(counters.count, limits.batchRows / 4)
        var entries: [LaneEntry] = []
        var bytes = 0
        while entries.count < room, bytes < limits.batchBytes, let standing = standingOfNext {
            if standing == .unknown {
                needsResolution = true
                return entries
            }
            guard let entry = voids.popFirst() ?? pending.popFirst() else { break }
            if standing == .lost {
                finish([entry], .lost)
            } else {
                bytes += entry.mutation.byteCount
                entries.append(entry)
            }
        }
        // Again as long as what was taken leaves room, because it was lost; never what was put back just now.
        while !needsResolution {
            let values = counters.take(limit: limits.batchRows - entries.count, at: now, early: isClosed)
            if values.isEmpty { break }
            for entry in values {
                switch ownership.standing(of: entry.mutation) {
                case .owned: entries.append(entry)
                case .lost: finish([entry], .lost)
                case .unknown:
                    needsResolution = true
                    putBack([entry], at: now)
                }
            }
        }
        return entries
    }

    /// How the mutation that is next stands to the leases. Looked at where it lies: a mutation is much to copy.
    private var standingOfNext: LaneOwnership.Standing? {
        if !voids.isEmpty { return ownership.standing(of: voids[0].mutation.slot, voids[0].mutation.epoch) }
        guard !pending.isEmpty else { return nil }
        return ownership.standing(of: pending[0].mutation.slot, pending[0].mutation.epoch)
    }

    /// Ends as lost what is not of a lease that the resolution which has just been read saw, or could have seen.
    private mutating func dropWhatIsNotOwned() {
        var waiting: [LaneEntry] = []
        for group in retries { waiting += group }
        for entry in waiting + voids + pending where entry.serial <= resolvedUpTo { ownership.settle(entry.mutation) }
        let mark = resolvedUpTo
        // swift-format-ignore: ReplaceForEachWithForLoop
        counters.forEach { if $0.serial <= mark { ownership.settle($0.mutation) } }

        let settled = ownership
        func isLost(_ entry: LaneEntry) -> Bool { settled.standing(of: entry.mutation) == .lost }
        for index in retries.indices {
            finish(retries[index].filter(isLost), .lost)
            retries[index].removeAll(where: isLost)
        }
        retries.removeAll(where: \.isEmpty)
        finish(voids.filter(isLost), .lost)
        voids.removeAll(where: isLost)
        finish(pending.filter(isLost), .lost)
        pending.removeAll(where: isLost)
        finish(counters.remove(where: isLost), .lost)
    }

    /// When the oldest that may be withdrawn was admitted.
    private var oldestWaiting: Duration? {
        var oldest = pending.first?.admittedAt
        if !retries.isEmpty { Self.lower(&oldest, to: retries.lazy.joined().first { !$0.isOrphan }?.admittedAt) }
        Self.lower(&oldest, to: counters.oldest)
        return oldest
    }

    /// Puts parts of a batch before all that waits; values that are coalesced go back among their like.
    private mutating func putBack(_ entries: [LaneEntry], at now: Duration) {
        var group: [LaneEntry] = []
        for entry in entries {
            if case .counter(let key, _) = entry.mutation.change {
                byteCount -= counters.putBack(entry, key: key, at: now)
            } else {
                group.append(entry)
            }
        }
        if !group.isEmpty { retries.prepend(group) }
    }

    /// Ends the mutation at fault; its void entry, if it has a number, takes its place.
    private mutating func replaceRefused(_ entries: inout [LaneEntry], at index: Int, _ error: StoreError) {
        let entry = entries.remove(at: index)
        finish([entry], .refused(error))
        // A void entry that is refused itself is given up: trying again would block the lane for ever.
        guard !entry.isOrphan, let void = entry.void else { return }
        if case .void = entry.mutation.change { return }
        entries.insert(hold(void), at: index)
    }

    /// Void entries that nobody will commit any more: the next owner of their channels gives their numbers again.
    private mutating func giveUpVoids() {
        for group in retries { finish(group, .lost) }
        finish(Array(voids), .lost)
        retries = []
        voids = []
    }

    /// Counts a void entry that takes a mutation's place.
    private mutating func hold(_ entry: LaneEntry) -> LaneEntry {
        rowCount += entry.rowCount
        byteCount += entry.mutation.byteCount
        statistics.voids += 1
        return entry
    }

    private mutating func finish(_ entries: [LaneEntry], _ result: LaneOutcome.Result) {
        for entry in entries {
            rowCount -= entry.rowCount
            byteCount -= entry.mutation.byteCount
            guard !entry.isOrphan else { continue }
            note(result)
            outcomes.append(LaneOutcome(id: entry.mutation.id, origin: entry.mutation.origin, result: result))
            for older in entry.superseded {
                note(result)
                outcomes.append(LaneOutcome(id: older.id, origin: older.origin, result: result))
            }
        }
    }

    private mutating func note(_ result: LaneOutcome.Result) {
        switch result {
        case .committed: statistics.committed += 1
        case .refused: statistics.refused += 1
        case .withdrawn: statistics.withdrawn += 1
        case .lost: statistics.lost += 1
        }
    }
}
