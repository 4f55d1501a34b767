import FluxCore
import Foundation
import Logging

/// The shell of one `Lane`: a thread with a connection of its own that does what the state machine says.
final class LaneWriter: Sendable {
    private let configuration: DatabaseConfiguration
    private let fence: LaneFence
    private let lane: Locked<Lane>
    private let wakeup: Wakeup
    private let origin: ContinuousClock.Instant
    private let onOutcomes: LanePool.OutcomeHandler
    private let metrics: LaneMetrics
    private let logger: Logger

    /// A commit that has had no answer for this long is given up, and its fate read over a new connection. Longer than
    /// any stall that is worth waiting for; a dead network is noticed long before (`unacknowledgedTimeout`).
    private static let patience: Duration = .seconds(20)

    init(
        configuration: DatabaseConfiguration, identity: NodeIdentity, number: Int, limits: LaneLimits,
        origin: ContinuousClock.Instant, logger: Logger, onOutcomes: @escaping LanePool.OutcomeHandler
    ) throws(StoreError) {
        var configuration = configuration
        configuration.applicationName = identity.applicationName("lane-\(number)")
        self.configuration = configuration
        fence = LaneFence(identity: identity, lane: number)
        lane = Locked(Lane(limits: limits))
        wakeup = try Wakeup()
        metrics = LaneMetrics(lane: number)
        self.origin = origin
        self.logger = logger
        self.onOutcomes = onOutcomes
    }

    /// Starts the thread, which calls `ended` when it has ended; to be called once.
    func start(_ ended: @escaping @Sendable () -> Void) {
        Thread.detachNamed("pg-lane-\(fence.lane)") { [self] in
            work()
            ended()
        }
    }

    /// Puts a mutation at the end. Never waits for Postgres.
    func append(_ mutation: Mutation) throws(StoreError) {
        let now = now
        let admission: Result<Bool, StoreError> = lane.withLock { lane in
            do throws(StoreError) { return .success(try lane.admit(mutation, at: now)) } catch {
                return .failure(error)
            }
        }
        if try admission.get() { wakeup.wake() }
    }

    /// Lets nothing of the slot wait for its time.
    func hasten(_ slot: Slot) {
        let now = now
        if lane.withLock({ $0.hasten(slot, at: now) }) { wakeup.wake() }
    }

    /// Accepts nothing more; the thread ends when all has had its outcome.
    func close() {
        lane.withLock { $0.close() }
        wakeup.wake()
    }

    /// Mutations that wait or are under way, and how long the oldest has.
    var load: (rows: Int, bytes: Int, age: Duration) {
        let now = now
        return lane.withLock { ($0.rowCount, $0.byteCount, $0.oldest.map { now - $0 } ?? .zero) }
    }

    // MARK: The thread

    private var now: Duration { ContinuousClock.now - origin }

    private func work() {
        var connection: Connection?
        while true {
            let action = step { $0.next(at: $1) }
            switch action {
            case .connect:
                connection = connect()
            case .resolve:
                resolve(&connection)
            case .commit(let batch):
                commit(batch, &connection)
            case .wait(let until):
                wakeup.wait(orReadable: connection?.socket, for: until.map { $0 - now })
                if connection?.checkIdle() == false { lose(&connection, "the connection was closed while idle") }
            case .finish:
                return
            }
        }
    }

    /// Lets `body` act on the state machine, and hands over the outcomes that came of it.
    @discardableResult
    private func step<Result: Sendable>(_ body: (inout Lane, Duration) -> Result) -> Result {
        let now = now
        let (result, outcomes, statistics, load) = lane.withLock { lane in
            let result = body(&lane, now)
            return (
                result, lane.takeOutcomes(), lane.statistics,
                LaneMetrics.Load(rows: lane.rowCount, bytes: lane.byteCount, oldest: lane.oldest)
            )
        }
        metrics.record(statistics, load, at: now)
        if !outcomes.isEmpty { onOutcomes(outcomes) }
        return result
    }

    private func connect() -> Connection? {
        do throws(StoreError) {
            // It must not wait for its row for ever.
            let connection = try Connection(configuration, settings: [("lock_timeout", "5s")])
            // The thread waits for answers, for up to its patience; what waits in the lane must not age unseen meanwhile.
            connection.whileWaiting = { [self] in step { $0.withdrawOverdue(at: $1) } }
            step { lane, _ in lane.connected() }
            return connection
        } catch {
            logger.debug("lane \(fence.lane): \(error)")
            step { $0.disconnected(at: $1, jitter: Double.random(in: 0...1)) }
            return nil
        }
    }

    private func lose(_ connection: inout Connection?, _ reason: String) {
        connection = nil
        logger.warning("lane \(fence.lane): \(reason)")
        step { $0.disconnected(at: $1, jitter: Double.random(in: 0...1)) }
    }

    private func resolve(_ connection: inout Connection?) {
        guard let live = connection else { return lose(&connection, "no connection") }
        let deadline = ContinuousClock.now + LaneWriter.patience
        do throws(StoreError) {
            _ = try live.run([fence.endGhosts(applicationName: configuration.applicationName)], until: deadline)
            let view = try live.transaction(until: deadline) { transaction throws(StoreError) in
                try fence.view(in: transaction)
            }
            guard let view else {
                logger.error("lane \(fence.lane): a newer incarnation of this node has taken over")
                return step { lane, _ in lane.superseded() }
            }
            step { $0.resolved(view, at: $1) }
        } catch {
            fail(error, &connection)
        }
    }

    private func commit(_ batch: LaneBatch, _ connection: inout Connection?) {
        guard let live = connection, live.checkIdle() else {
            return lose(&connection, "the connection was closed while idle")
        }
        let plan = BatchPlan(batch.mutations)
        let pipeline = [.begin, fence.statement(for: batch)] + plan.steps.map(\.statement) + [.commit]
        let begun = ContinuousClock.now
        do throws(StoreError) {
            let result = try live.run(pipeline, until: begun + LaneWriter.patience, cancelling: false)
            guard let failure = result.failure else {
                metrics.recordCommit(rows: batch.count, took: .now - begun)
                return step { lane, _ in lane.committed() }
            }
            try live.rollBack(until: begun + LaneWriter.patience)
            report(failure, of: plan)
        } catch {
            fail(error, &connection)
        }
    }

    /// Tells the state machine why Postgres rolled the batch back.
    private func report(_ failure: Connection.PipelineResult.Failure, of plan: BatchPlan) {
        // BEGIN and the fence stand before the plan's steps, COMMIT behind them.
        let position = failure.index - 2
        if position == -1, case .refused(LaneFence.refusalState, _) = failure.error {
            logger.notice("lane \(fence.lane): the fence refused a batch")
            return step { lane, _ in lane.fenced() }
        }
        guard failure.error.isPermanentRefusal else {
            logger.warning("lane \(fence.lane): \(failure.error); the batch is tried again")
            return step { $0.failed(at: $1, jitter: Double.random(in: 0...1)) }
        }
        let suspects = plan.steps.indices.contains(position) ? plan.steps[position].mutations : []
        logger.error(
            "lane \(fence.lane): a batch was refused",
            metadata: ["error": "\(failure.error)", "suspects": "\(suspects.count)"])
        step { $0.refused(failure.error, suspects: suspects, at: $1) }
    }

    private func fail(_ error: StoreError, _ connection: inout Connection?) {
        if case .invalid = error {
            // Nothing was sent: a statement does not fit its query, and bisecting finds it.
            logger.error("lane \(fence.lane): \(error)")
            return step { $0.refused(error, suspects: [], at: $1) }
        }
        guard connection?.isUsable == true else { return lose(&connection, "\(error)") }
        logger.warning("lane \(fence.lane): \(error)")
        step { $0.failed(at: $1, jitter: Double.random(in: 0...1)) }
    }
}
