import NIOCore

/// Runs actors and tasks on one NIO event loop.
///
/// It is a serial executor and a task executor in one object: a task that prefers it and an actor that is pinned to it
/// call each other without leaving the loop. Code that NIO runs on the loop (a channel handler, a timer) is in the same
/// isolation domain: there `assumeIsolated` gives access to an actor of this executor without a task.
///
/// Work that is enqueued on the loop itself joins the loop's turn (see `LoopMesh`); work from other threads crosses in
/// batches.
public final class LoopExecutor: SerialExecutor, TaskExecutor {
    /// The position of this executor in its mesh.
    public let index: Int
    /// The loop that everything runs on.
    public let eventLoop: any EventLoop
    let turn: LoopTurn
    let inbox: LoopInbox

    init(index: Int, count: Int, eventLoop: any EventLoop, counters: LoopCounters) {
        self.index = index
        self.eventLoop = eventLoop
        turn = LoopTurn(eventLoop: eventLoop, index: index, targetCount: count, counters: counters)
        inbox = LoopInbox(eventLoop: eventLoop, counters: counters)
    }

    /// Queues one step of a task.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let work: LoopWork = {
            job.runSynchronously(
                isolatedTo: self.asUnownedSerialExecutor(), taskExecutor: self.asUnownedTaskExecutor())
        }
        if eventLoop.inEventLoop {
            turn.run(work)
        } else {
            inbox.append(work)
        }
    }

    /// Stops the process unless the caller runs on this loop; the runtime asks when `assumeIsolated` is used outside
    /// of a task.
    public func checkIsolated() {
        eventLoop.preconditionInEventLoop()
    }

    /// Whether the caller runs on this loop.
    public func isIsolatingCurrentContext() -> Bool? {
        eventLoop.inEventLoop
    }

    /// One loop, one context.
    public func isSameExclusiveExecutionContext(other: LoopExecutor) -> Bool {
        eventLoop === other.eventLoop
    }

    /// A reference for the runtime that compares by identity, which makes a switch between actors of one loop free.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// A reference for the runtime.
    public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        UnownedTaskExecutor(ordinary: self)
    }
}
