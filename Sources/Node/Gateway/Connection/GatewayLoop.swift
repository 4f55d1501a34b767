import FluxCluster
import NIOCore

/// What the gateway's connections of one event loop share: the flush at the end of a turn, spare buffers, one timer.
///
/// `@unchecked Sendable`: it is handed out by ``Gateway`` to handlers of its own loop, and touched only there.
final class GatewayLoop: @unchecked Sendable {
    /// Spare buffers larger than this are given back, so that one large READY is not kept for ever.
    private static let spareBufferCapacity = 64 * 1024
    /// Bytes of spare buffers that are kept.
    private static let spareBytesLimit = 16 << 20
    private static let newBufferCapacity = 2048
    /// Grain of the timer. Nothing that it watches over is shorter than seconds.
    private static let tick = TimeAmount.seconds(1)

    let eventLoop: any EventLoop
    private let mesh: LoopMesh
    private let metrics = GatewayMetrics()
    var counters = GatewayCounters()

    private var due: [GatewayHandler] = []
    private var flushing: [GatewayHandler] = []
    private var isFlushScheduled = false

    private var spare: [ByteBuffer] = []
    private var spareBytes = 0

    private var wheel = ConnectionWheel<GatewayHandler>()
    private var isTicking = false

    init(eventLoop: any EventLoop, mesh: LoopMesh) {
        self.eventLoop = eventLoop
        self.mesh = mesh
    }

    // MARK: The end of a turn

    /// The handler is flushed at the end of this turn.
    func flushAtEndOfTurn(_ handler: GatewayHandler) {
        due.append(handler)
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        mesh.atEndOfTurn { self.flush() }
    }

    private func flush() {
        isFlushScheduled = false
        // Two arrays take turns, so that their storage is kept.
        swap(&due, &flushing)
        for handler in flushing { handler.flush() }
        flushing.removeAll(keepingCapacity: true)
    }

    /// Tells a handler after a time that its batch is due.
    func closeBatchWindow(of handler: GatewayHandler, in delay: TimeAmount) {
        eventLoop.assumeIsolated().scheduleTask(in: delay) { handler.batchWindowClosed() }
    }

    // MARK: Buffers

    /// A buffer to collect frames in.
    func takeBuffer() -> ByteBuffer {
        guard let buffer = spare.popLast() else {
            return ByteBufferAllocator().buffer(capacity: Self.newBufferCapacity)
        }
        spareBytes -= buffer.capacity
        return buffer
    }

    /// A buffer whose bytes are sent, and which nobody else refers to.
    func giveBack(_ buffer: consuming ByteBuffer) {
        guard buffer.capacity <= Self.spareBufferCapacity, spareBytes + buffer.capacity <= Self.spareBytesLimit else {
            return
        }
        buffer.clear()
        spareBytes += buffer.capacity
        spare.append(buffer)
    }

    // MARK: Deadlines

    /// Looks at the handler when `deadline` has passed, at most a tick late. Replaces what was asked for it before.
    func watch(_ handler: GatewayHandler, until deadline: NIODeadline) {
        wheel.insert(handler, deadline: deadline, now: .now())
        tickSoon()
    }

    private func tickSoon() {
        guard !isTicking else { return }
        isTicking = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.tick) {
            self.isTicking = false
            self.advance()
        }
    }

    /// The handler is gone.
    func forget(_ handler: GatewayHandler) {
        wheel.remove(handler)
    }

    private func advance() {
        for handler in wheel.advance(to: .now()) { handler.deadlinePassed() }
        metrics.publish(&counters)
        if !wheel.isEmpty { tickSoon() }
    }
}
