import Foundation

/// A fixed number of threads behind one bounded queue, for work that blocks.
///
/// `@unchecked Sendable`: all mutable state is in `state`, which is read and written only while `condition` is locked.
final class WorkerPool: @unchecked Sendable {
    /// How a piece of work ended.
    enum Outcome<Value: Sendable>: Sendable {
        case finished(Value)
        /// The queue was full; nothing was done.
        case overloaded
        /// The waiting task was cancelled before a thread took the work.
        case cancelled
        /// The pool was stopped before a thread took the work.
        case stopped
    }

    /// The number of cores that the process may use.
    static var coreCount: Int { ProcessInfo.processInfo.activeProcessorCount }

    private enum Refusal {
        case overloaded, cancelled, stopped

        func outcome<Value>() -> Outcome<Value> {
            switch self {
            case .overloaded: .overloaded
            case .cancelled: .cancelled
            case .stopped: .stopped
            }
        }
    }

    private struct Job {
        let id: UInt64
        let run: () -> Void
        let refuse: (Refusal) -> Void
    }

    private struct State {
        var waiting: [Job] = []
        var nextID: UInt64 = 0
        var isStopped = false
    }

    private let condition = NSCondition()
    private let queueLimit: Int
    private var state = State()

    /// Starts the threads. They keep the pool alive until ``stop()``.
    init(name: String, threads: Int, queueLimit: Int) {
        self.queueLimit = queueLimit
        for index in 0..<threads {
            let thread = Thread { self.work() }
            thread.name = "\(name)-\(index)"
            thread.start()
        }
    }

    /// Runs `work` on one of the threads, in the order of the calls, and waits for its value.
    func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Outcome<Value> {
        let id = withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A cancellation between this look and the queue comes too early to find the job: it is then done in
                // vain, which costs time and breaks nothing.
                if Task.isCancelled { return continuation.resume(returning: .cancelled) }
                enqueue(
                    Job(id: id) {
                        continuation.resume(returning: .finished(work()))
                    } refuse: { refusal in
                        continuation.resume(returning: refusal.outcome())
                    })
            }
        } onCancel: {
            cancel(id)
        }
    }

    /// Refuses everything that waits and ends each thread after its work under way.
    func stop() {
        let refused = withLock { state in
            state.isStopped = true
            defer { state.waiting.removeAll() }
            return state.waiting
        }
        condition.broadcast()
        for job in refused { job.refuse(.stopped) }
    }

    private func enqueue(_ job: Job) {
        let refusal: Refusal? = withLock { state in
            if state.isStopped { return .stopped }
            if state.waiting.count >= queueLimit { return .overloaded }
            state.waiting.append(job)
            return nil
        }
        if let refusal { job.refuse(refusal) } else { condition.signal() }
    }

    private func cancel(_ id: UInt64) {
        let job: Job? = withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiting.remove(at: index)
        }
        job?.refuse(.cancelled)
    }

    private func work() {
        while let job = next() { job.run() }
    }

    private func next() -> Job? {
        condition.lock()
        defer { condition.unlock() }
        while state.waiting.isEmpty {
            if state.isStopped { return nil }
            condition.wait()
        }
        return state.waiting.removeFirst()
    }

    private func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        condition.lock()
        defer { condition.unlock() }
        return body(&state)
    }
}
