import FluxCore

@testable import FluxStore

/// A lane on a clock of the test's own, and a short way to speak of what it does.
final class LaneDriver {
    /// What the lane asked for. Entries of a batch read `m1` (the mutation with id 1), `v1` (the void entry of seq 1), `c1`
    /// (the coalesced value with id 1).
    enum Step: Equatable {
        case connect
        case resolve
        case commit([String])
        case wait(until: Duration?)
        case finish
    }

    private var lane: Lane
    var now: Duration = .zero
    /// What the last `.commit` asked for.
    private(set) var batch: LaneBatch?

    init(_ limits: LaneLimits = LaneLimits()) { lane = Lane(limits: limits) }

    /// A lane that has connected and resolved, with these leases by slot.
    convenience init(
        owning leases: [UInt16: Epoch], limits: LaneLimits = LaneLimits(), generation: Int64 = 2, batch: Int64 = 0
    ) {
        self.init(limits)
        reconnect(leases, generation: generation, batch: batch)
    }

    var rowCount: Int { lane.rowCount }
    var byteCount: Int { lane.byteCount }
    var statistics: Lane.Statistics { lane.statistics }

    func next() -> Step {
        switch lane.next(at: now) {
        case .connect: return .connect
        case .resolve: return .resolve
        case .wait(let until): return .wait(until: until)
        case .finish: return .finish
        case .commit(let batch):
            self.batch = batch
            return .commit(batch.entries.map(Self.name))
        }
    }

    /// The batch that is to be committed now.
    func commit() throws -> [String] {
        guard case .commit(let names) = next() else { throw Unexpected() }
        return names
    }

    /// Until when the lane waits, of itself.
    func pause() throws -> Duration {
        guard case .wait(let until?) = next() else { throw Unexpected() }
        return until
    }

    /// The lane asked for something else.
    struct Unexpected: Error {}

    private static func name(_ entry: LaneEntry) -> String {
        switch entry.mutation.change {
        case .void(_, let seq, _, _): "v\(seq)"
        case .counter: "c\(entry.mutation.id.rawValue)"
        default: "m\(entry.mutation.id.rawValue)"
        }
    }

    /// From being without a connection to being able to commit.
    func reconnect(_ leases: [UInt16: Epoch], generation: Int64, batch: Int64) {
        precondition(next() == .connect)
        lane.connected()
        precondition(next() == .resolve)
        resolved(leases, generation: generation, batch: batch)
    }

    func connected() { lane.connected() }
    func disconnected() { lane.disconnected(at: now, jitter: 1) }
    func committed() { lane.committed() }
    func fenced() { lane.fenced() }
    func superseded() { lane.superseded() }
    func close() { lane.close() }
    func failed() { lane.failed(at: now, jitter: 1) }
    func hasten(_ slot: UInt16) -> Bool { lane.hasten(Slot(rawValue: slot)!, at: now) }
    func withdrawOverdue() { lane.withdrawOverdue(at: now) }

    func refused(_ suspects: [Int] = [], _ error: StoreError = LaneDriver.refusal) {
        lane.refused(error, suspects: suspects, at: now)
    }

    static let refusal = StoreError.refused(sqlState: "22021", message: "NUL")

    func resolved(_ leases: [UInt16: Epoch], generation: Int64, batch: Int64) {
        lane.resolved(
            LaneView(
                generation: generation, batch: batch,
                leases: Dictionary(uniqueKeysWithValues: leases.map { (Slot(rawValue: $0)!, $1) })), at: now)
    }

    // MARK: Mutations

    /// A message with seq `id` in the channel of the slot. Returns whether the shell is to be woken.
    @discardableResult
    func create(_ id: UInt64, slot: UInt16 = 1, epoch: Epoch = 1, content: String = "") throws -> Bool {
        let message = Message(
            id: Snowflake(id), channelID: Snowflake(UInt64(slot)), authorID: Snowflake(9), content: content,
            seq: Int64(id), epoch: epoch)
        return try admit(id, slot, epoch, .createMessage(MessageRow(message)))
    }

    @discardableResult
    func statement(_ id: UInt64, slot: UInt16 = 1, epoch: Epoch = 1) throws -> Bool {
        try admit(id, slot, epoch, .statements([.begin]))
    }

    @discardableResult
    func counter(_ id: UInt64, key: UInt64, slot: UInt16 = 1, epoch: Epoch = 1) throws -> Bool {
        try admit(id, slot, epoch, .counter(CounterKey(kind: 1, Snowflake(key), Snowflake(0)), .begin))
    }

    @discardableResult
    func admit(_ id: UInt64, _ slot: UInt16, _ epoch: Epoch, _ change: Change) throws -> Bool {
        try lane.admit(
            Mutation(id: MutationID(id), slot: Slot(rawValue: slot)!, epoch: epoch, origin: 3, change: change), at: now)
    }

    // MARK: Outcomes

    func outcomes() -> [LaneOutcome] { lane.takeOutcomes() }
}

/// What the senders of `ids` are told.
func told(_ ids: UInt64..., result: LaneOutcome.Result) -> [LaneOutcome] {
    ids.map { LaneOutcome(id: MutationID($0), origin: 3, result: result) }
}

/// The error that `work` throws, or nil.
func refusal(of work: () throws -> Void) -> StoreError? {
    do {
        try work()
        return nil
    } catch {
        return error as? StoreError
    }
}
