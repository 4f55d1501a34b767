import Metrics
import NIOConcurrencyHelpers

/// What waits to be sent over one connection, from any thread.
///
/// Bound (I8): bytes that were accepted and have not been handed to the operating system, wherever on the way they are. At the
/// bound `append` refuses; a frame larger than the connection's limit is refused always. All that gathers until the
/// connection's loop gets to it is one batch.
final class LinkOutbox: Sendable {
    private struct State {
        var frames: [[UInt8]] = []
        var queuedByteCount = 0
        var isClosed = false
    }

    private let bound: Int
    private let frameLimit: Int
    private let wake: @Sendable () -> Void
    private let overflow: @Sendable () -> Void
    private let refusals: Counter?
    private let state = NIOLockedValueBox(State())

    /// `wake` is called when the first frame of a batch is there, `overflow` once, when `giveUp` is; `refusals` counts
    /// frames that found the queue full.
    init(
        bound: Int, frameLimit: Int, refusals: Counter? = nil, overflow: @escaping @Sendable () -> Void,
        wake: @escaping @Sendable () -> Void
    ) {
        self.refusals = refusals
        self.bound = bound
        self.frameLimit = frameLimit
        self.overflow = overflow
        self.wake = wake
    }

    /// Accepted bytes that the operating system does not have yet.
    var queuedByteCount: Int { state.withLockedValue { $0.queuedByteCount } }

    /// Accepts a frame, or refuses it without effect. Frames of one thread keep their order.
    func append(_ frame: [UInt8]) -> TransportOutcome {
        guard frame.count < frameLimit else { return .tooLarge }
        let size = frame.count + LinkFrame.headByteCount
        let (outcome, isFirst): (TransportOutcome, Bool) = state.withLockedValue { state in
            guard !state.isClosed else { return (.unlinked, false) }
            guard state.queuedByteCount == 0 || state.queuedByteCount + size <= bound else { return (.full, false) }
            state.queuedByteCount += size
            state.frames.append(frame)
            return (.accepted, state.frames.count == 1)
        }
        if case .full = outcome { refusals?.increment() }
        if isFirst { wake() }
        return outcome
    }

    /// Something had to be sent and cannot be: nothing is accepted any more, and the connection is to end. The first of
    /// many callers is enough.
    func giveUp() {
        let isFirst = state.withLockedValue { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if isFirst { overflow() }
    }

    /// Takes the batch.
    func take() -> [[UInt8]] {
        state.withLockedValue { state in
            let frames = state.frames
            state.frames = []
            return frames
        }
    }

    /// The operating system has so many bytes more.
    func release(_ byteCount: Int) {
        state.withLockedValue { $0.queuedByteCount -= byteCount }
    }

    /// Nothing is accepted any more, and what waits is forgotten.
    func close() {
        state.withLockedValue { state in
            state.isClosed = true
            state.frames = []
        }
    }
}
