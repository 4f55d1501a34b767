import CoreMetrics
import NIOCore

/// Measures how much later than asked each event loop runs its timers: the time that a message waits for its turn.
struct EventLoopLag: Sendable {
    /// How often each loop is measured.
    static let interval = TimeAmount.milliseconds(250)

    private let tasks: [RepeatedTask]

    /// Begins on every loop of a group.
    init(group: any EventLoopGroup, factory: any MetricsFactory) {
        tasks = group.makeIterator().enumerated().map { index, loop in
            let timer = factory.makeTimer(
                label: MetricCatalog.eventLoopLag.name, dimensions: [("loop", String(index))])
            return Self.start(on: loop, timer)
        }
    }

    /// Ends the measuring.
    func cancel() {
        for task in tasks {
            task.cancel()
        }
    }

    private static func start(on loop: any EventLoop, _ timer: any TimerHandler) -> RepeatedTask {
        let due = NIOLoopBoundBox.makeBoxSendingValue(NIODeadline.now() + interval, eventLoop: loop)
        return loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let now = NIODeadline.now()
            timer.recordNanoseconds(max(0, (now - due.value).nanoseconds))
            due.value = now + interval
        }
    }
}
