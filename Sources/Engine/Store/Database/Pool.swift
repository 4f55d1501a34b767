import Foundation
import Logging
import Metrics

/// The shell of `PoolState`: one thread per connection, and one that tells callers when their time is up.
final class Pool: Sendable {
    let configuration: DatabaseConfiguration
    private let logger: Logger
    private let origin: ContinuousClock.Instant = .now
    private let shared: Locked<Shared>
    private let wakeups: [Wakeup]
    private let timekeeper: Wakeup

    private struct Shared {
        var state: PoolState<PoolJob>
        var liveThreads: Int
        var isClosing = false
        var whenEnded: [@Sendable () -> Void] = []
    }

    init(configuration: DatabaseConfiguration, logger: Logger) throws(StoreError) {
        _ = try ConnectionString(configuration.url)
        self.configuration = configuration
        self.logger = logger
        let count = max(1, configuration.connections)
        var wakeups: [Wakeup] = []
        for _ in 0..<count { wakeups.append(try Wakeup()) }
        self.wakeups = wakeups
        timekeeper = try Wakeup()
        let state = PoolState<PoolJob>(
            workers: count, waitingLimit: configuration.waitingLimit,
            shortestBackoff: configuration.shortestBackoff, longestBackoff: configuration.longestBackoff)
        shared = Locked(Shared(state: state, liveThreads: count + 1))
    }

    var connectedCount: Int { shared.withLock { $0.state.connectedCount } }
    var waitingCount: Int { shared.withLock { $0.state.waitingCount } }

    /// Starts the threads; to be called once.
    func start() {
        for worker in wakeups.indices {
            Thread.detachNamed("pg-pool-\(worker)") { [self] in work(as: worker) }
        }
        Thread.detachNamed("pg-deadlines") { [self] in keepTime() }
    }

    /// Takes a call in, or refuses it at once.
    func submit(_ job: PoolJob) {
        handle(
            shared.withLock { $0.state.submit(job, deadline: job.deadline - origin) }, of: job)
    }

    /// Refuses new calls and lets the threads end.
    func close() {
        let refused = shared.withLock {
            $0.isClosing = true
            return $0.state.close()
        }
        for job in refused { job.fail(.closed) }
        for wakeup in wakeups { wakeup.wake() }
        timekeeper.wake()
    }

    /// Calls `body` once all threads have ended, which may be now.
    func whenEnded(_ body: @escaping @Sendable () -> Void) {
        let hasEnded = shared.withLock {
            if $0.liveThreads > 0 { $0.whenEnded.append(body) }
            return $0.liveThreads == 0
        }
        if hasEnded { body() }
    }

    // MARK: Threads

    private var now: Duration { ContinuousClock.now - origin }

    private func work(as worker: Int) {
        var connection: Connection?
        loop: while true {
            switch shared.withLock({ $0.state.step(worker: worker, at: now) }) {
            case .connect:
                connection = connect(worker)
            case .run(let job):
                guard let live = connection, live.checkIdle() else {
                    lose(&connection, worker: worker, reason: "the connection was closed while idle")
                    handle(shared.withLock { $0.state.resubmit(job, deadline: job.deadline - origin) }, of: job)
                    continue
                }
                run(job, on: live)
                if !live.isUsable { lose(&connection, worker: worker, reason: "the connection broke under a call") }
            case .idle:
                wakeups[worker].wait(orReadable: connection?.socket, for: nil)
                if connection?.checkIdle() == false {
                    lose(&connection, worker: worker, reason: "the connection was closed while idle")
                }
            case .sleep(let until):
                wakeups[worker].wait(orReadable: nil, for: until - now)
            case .end:
                break loop
            }
        }
        connection = nil
        threadEnded()
    }

    private func connect(_ worker: Int) -> Connection? {
        do throws(StoreError) {
            let connection = try Connection(configuration)
            let wasAway = shared.withLock { shared in
                defer { shared.state.connected(worker: worker) }
                return shared.state.lastFailure != nil
            }
            if wasAway { logger.info("connected to Postgres again") }
            return connection
        } catch {
            // The reason alone: who waits is told `.unavailable` with it.
            let reason = if case .unavailable(let reason) = error { reason } else { error.description }
            noteLoss(worker: worker, reason: reason)
            return nil
        }
    }

    private func lose(_ connection: inout Connection?, worker: Int, reason: String) {
        connection = nil
        Counter(label: "flux_postgres_connections_lost_total").increment()
        noteLoss(worker: worker, reason: reason)
    }

    private func noteLoss(worker: Int, reason: String) {
        let isFirst = shared.withLock { shared in
            let isFirst = shared.state.lastFailure == nil
            shared.state.disconnected(worker: worker, reason: reason, at: now, jitter: Double.random(in: 0...1))
            return isFirst
        }
        logger.log(level: isFirst ? .warning : .debug, "\(reason)")
    }

    private func run(_ job: PoolJob, on connection: Connection) {
        guard job.deadline > .now else { return job.fail(.timedOut) }
        do {
            try job.run(connection, job.deadline)
        } catch .unavailable where job.isRepeatable && !connection.isUsable {
            handle(shared.withLock { $0.state.resubmit(job, deadline: job.deadline - origin) }, of: job)
        } catch {
            job.fail(error)
        }
    }

    private func keepTime() {
        while true {
            let (expired, next, isOver, failure) = shared.withLock { shared in
                let expired = shared.state.expire(at: now)
                return (
                    expired, shared.state.nextDeadline,
                    shared.isClosing && shared.state.waitingCount == 0,
                    shared.state.connectedCount == 0 ? shared.state.lastFailure : nil
                )
            }
            for job in expired { job.fail(failure.map { .unavailable($0) } ?? .timedOut) }
            if isOver { break }
            timekeeper.wait(orReadable: nil, for: next.map { $0 - now })
        }
        threadEnded()
    }

    private func handle(_ submission: PoolState<PoolJob>.Submission, of job: PoolJob) {
        switch submission {
        case .wake(let worker): wakeups[worker].wake()
        case .queued: timekeeper.wake()
        case .refused(let error): job.fail(error)
        }
    }

    private func threadEnded() {
        let callbacks = shared.withLock { shared -> [@Sendable () -> Void] in
            shared.liveThreads -= 1
            guard shared.liveThreads == 0 else { return [] }
            defer { shared.whenEnded = [] }
            return shared.whenEnded
        }
        for callback in callbacks { callback() }
    }
}
