import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// The thread that a node's part in the cluster is decided on, with its time and its alarms. Of its own, so that what takes
/// long on the engine's loops does not make this node look ill to others.
final class ClusterLoop: Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let loop: any EventLoop
    private let origin = ContinuousClock.now
    private let isOpen = NIOLockedValueBox(true)

    init() { loop = group.next() }

    /// Since the loop was made.
    var now: Duration { ContinuousClock.now - origin }

    func assertInLoop() { loop.assertInEventLoop() }

    /// Runs the work on the loop, in the order in which it is posted; false, without effect, when the loop is closed.
    @discardableResult
    func post(_ work: @escaping @Sendable () -> Void) -> Bool {
        // Behind the lock, so that nothing is posted to a loop that has ended.
        isOpen.withLockedValue { isOpen in
            if isOpen { loop.execute(work) }
            return isOpen
        }
    }

    /// Runs the work at that time, or as soon as possible. On the loop.
    func schedule(at time: Duration, _ work: @escaping @Sendable () -> Void) -> Scheduled<Void> {
        assertInLoop()
        return loop.scheduleTask(in: .nanoseconds(max(0, (time - now).nanoseconds)), work)
    }

    /// Runs nothing that is posted later, and returns when what was posted before has run and the thread has ended.
    func close() async {
        let wasOpen = isOpen.withLockedValue { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        guard wasOpen else { return }
        await withCheckedContinuation { continuation in loop.execute { continuation.resume() } }
        try? await group.shutdownGracefully()
    }
}

extension Duration {
    /// In nanoseconds, as far as that fits.
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        guard seconds < 1 << 32 else { return .max }
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
