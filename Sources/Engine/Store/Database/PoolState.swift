import DequeModule

/// The pool's bookkeeping, without I/O: which worker does what, and which calls wait.
///
/// A worker is one thread with one connection. Times are durations since an arbitrary fixed moment. Calls are served in
/// the order in which they came; at most `waitingLimit` wait.
struct PoolState<Job> {
    /// What a worker is to do next.
    enum Step {
        /// Make a connection, then report `connected` or `disconnected`.
        case connect
        /// Run the job on the connection, then report `finished` or `disconnected`.
        case run(Job)
        /// Wait until woken or until the connection dies.
        case idle
        /// Wait until woken or until this time, then ask again.
        case sleep(until: Duration)
        /// Close the connection and end.
        case end
    }

    /// What becomes of a new call.
    enum Submission: Equatable {
        /// This idle worker is to be woken; it will find the job.
        case wake(Int)
        /// All workers are busy or without a connection.
        case queued
        case refused(StoreError)
    }

    private enum Worker: Equatable {
        case unconnected
        case connecting
        case backingOff(until: Duration)
        case idle
        /// Woken, but has not come for its job yet.
        case called
        case busy
        case ended
    }

    private struct Waiting {
        var job: Job
        var deadline: Duration
    }

    private var workers: [Worker]
    private var failures: [Int]
    private var waiting: Deque<Waiting> = []
    private let waitingLimit: Int
    private let shortestBackoff: Duration
    private let longestBackoff: Duration
    private var isClosed = false
    /// Why the last attempt to connect failed; nil while a connection lives.
    private(set) var lastFailure: String?

    init(workers: Int, waitingLimit: Int, shortestBackoff: Duration, longestBackoff: Duration) {
        self.workers = Array(repeating: .unconnected, count: workers)
        self.failures = Array(repeating: 0, count: workers)
        self.waitingLimit = waitingLimit
        self.shortestBackoff = shortestBackoff
        self.longestBackoff = longestBackoff
    }

    /// Calls that wait for a connection.
    var waitingCount: Int { waiting.count }

    /// Workers that hold a connection.
    var connectedCount: Int { workers.count { $0 == .idle || $0 == .called || $0 == .busy } }

    /// The first moment at which a waiting call runs out of time.
    var nextDeadline: Duration? { waiting.lazy.map(\.deadline).min() }

    /// A call has come.
    mutating func submit(_ job: Job, deadline: Duration) -> Submission {
        if isClosed { return .refused(.closed) }
        guard waiting.count < waitingLimit else { return .refused(.overloaded) }
        waiting.append(Waiting(job: job, deadline: deadline))
        guard let worker = workers.firstIndex(of: .idle) else { return .queued }
        workers[worker] = .called
        return .wake(worker)
    }

    /// A call whose connection died under it waits again, before all others. Not bounded: it has been accepted before,
    /// and there are at most as many as workers.
    mutating func resubmit(_ job: Job, deadline: Duration) -> Submission {
        if isClosed { return .refused(.closed) }
        waiting.prepend(Waiting(job: job, deadline: deadline))
        guard let worker = workers.firstIndex(of: .idle) else { return .queued }
        workers[worker] = .called
        return .wake(worker)
    }

    /// `worker` asks what to do.
    mutating func step(worker: Int, at now: Duration) -> Step {
        switch workers[worker] {
        case .ended:
            return .end
        case .unconnected, .connecting:
            if isClosed { return end(worker) }
            workers[worker] = .connecting
            return .connect
        case .backingOff(let until):
            if isClosed { return end(worker) }
            guard now >= until else { return .sleep(until: until) }
            workers[worker] = .connecting
            return .connect
        case .idle, .called, .busy:
            if let next = waiting.popFirst() {
                workers[worker] = .busy
                return .run(next.job)
            }
            if isClosed { return end(worker) }
            workers[worker] = .idle
            return .idle
        }
    }

    /// `worker` has a connection.
    mutating func connected(worker: Int) {
        workers[worker] = .idle
        failures[worker] = 0
        lastFailure = nil
    }

    /// `worker` has no connection, for `reason`. `jitter` (0 to 1) spreads the workers' next attempts.
    ///
    /// A connection that had worked is made again at once; attempts that fail back off, doubling.
    mutating func disconnected(worker: Int, reason: String, at now: Duration, jitter: Double) {
        lastFailure = reason
        defer { failures[worker] += 1 }
        guard failures[worker] > 0 || workers[worker] == .connecting else {
            workers[worker] = .unconnected
            return
        }
        let doubled = shortestBackoff * (1 << min(failures[worker], 16))
        workers[worker] = .backingOff(until: now + min(longestBackoff, doubled) * (0.5 + jitter / 2))
    }

    /// Takes out the calls whose time is up.
    mutating func expire(at now: Duration) -> [Job] {
        guard waiting.contains(where: { $0.deadline <= now }) else { return [] }
        let expired = waiting.filter { $0.deadline <= now }
        waiting.removeAll { $0.deadline <= now }
        return expired.map(\.job)
    }

    /// Nothing new is accepted; what waits is still served. Without any connection what waits is given back to be
    /// refused. All workers are to be woken.
    mutating func close() -> [Job] {
        isClosed = true
        guard connectedCount == 0 else { return [] }
        defer { waiting.removeAll() }
        return waiting.map(\.job)
    }

    private mutating func end(_ worker: Int) -> Step {
        workers[worker] = .ended
        return .end
    }
}
