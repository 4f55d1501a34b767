import NIOCore

/// The life of one HTTP/1.1 connection, without I/O and without a clock: one exchange at a time, nothing without a limit.
///
/// It says when a request may be handed on, what a finished response means for the connection, and when the peer has
/// been slow for too long. Requests that were pipelined wait in the shell, a stated number of them.
public struct HTTPConnectionState: Sendable {
    /// Bounds of a connection that serves HTTP.
    public struct Limits: Sendable {
        /// From the opening, or the end of an exchange, to a whole request head. Also how long an idle connection is kept.
        public var head = TimeAmount.seconds(75)
        /// A request's body may take this long, and longer by its length over ``bodyBytesPerSecond``.
        public var body = TimeAmount.seconds(30)
        /// A body that comes slower than this is not waited for.
        public var bodyBytesPerSecond = 1024
        /// How long a peer may leave its side of the connection full while a response waits for room.
        public var stalledWrite = TimeAmount.seconds(60)
        /// After the last response: time for the peer to read it before the connection is reset.
        public var linger = TimeAmount.seconds(2)
        /// Requests that may wait behind the one being answered.
        public var pipelinedRequests = 32

        public init() {}
    }

    /// What follows the end of a response.
    enum Continuation: Equatable {
        case nextRequest
        /// The request is still coming, and what is left of it must be read (or the connection closed) first.
        case restOfRequest
        case close
    }

    /// What an overdue peer gets.
    enum Expiry: Equatable {
        case none
        case close
        /// 408, then close.
        case requestTimeout
    }

    private enum Phase: Equatable {
        case awaitingHead(since: NIODeadline)
        case receiving(since: NIODeadline, bytes: Int, isAnswered: Bool)
        case answering
        case lingering(since: NIODeadline)
        case closed
    }

    private let limits: Limits
    private var phase: Phase
    private var isLast = false
    private var stalledSince: NIODeadline?
    /// Whether a final response head has been sent in the current exchange, so that no other can be.
    private(set) var isResponseStarted = false

    init(limits: Limits, openedAt now: NIODeadline) {
        self.limits = limits
        phase = .awaitingHead(since: now)
    }

    /// Whether the parts of a next request have to wait for the current exchange.
    var isBusy: Bool { phase == .answering }

    /// Whether input is of no use any more.
    var isFinished: Bool {
        switch phase {
        case .lingering, .closed: true
        case .awaitingHead, .receiving, .answering: false
        }
    }

    /// Whether a request has begun and not ended.
    var isReceiving: Bool {
        if case .receiving = phase { return true }
        return false
    }

    /// A request begins.
    /// - Parameter isLast: the connection is to be closed after its response.
    mutating func head(isLast: Bool, at now: NIODeadline) {
        phase = .receiving(since: now, bytes: 0, isAnswered: false)
        isResponseStarted = false
        self.isLast = self.isLast || isLast
    }

    mutating func body(bytes count: Int) {
        guard case .receiving(let since, let bytes, let isAnswered) = phase else { return }
        phase = .receiving(since: since, bytes: bytes + count, isAnswered: isAnswered)
    }

    /// The request is whole.
    /// - Returns: whether the exchange is over, because its response was sent before the request's end.
    mutating func requestEnd(at now: NIODeadline) -> Bool {
        guard case .receiving(_, _, let isAnswered) = phase else { return false }
        phase = isAnswered ? .awaitingHead(since: now) : .answering
        return isAnswered
    }

    /// The head of a final response goes out.
    /// - Returns: whether it has to say `Connection: close`.
    mutating func responseHead() -> Bool {
        isResponseStarted = true
        return isLast
    }

    mutating func responseEnd(at now: NIODeadline) -> Continuation {
        switch phase {
        case .answering:
            if isLast { return .close }
            phase = .awaitingHead(since: now)
            return .nextRequest
        case .receiving(let since, let bytes, _):
            if isLast { return .close }
            phase = .receiving(since: since, bytes: bytes, isAnswered: true)
            return .restOfRequest
        case .awaitingHead, .lingering, .closed:
            return .close
        }
    }

    /// The node drains, or the client has closed its side: no request after the current one.
    /// - Returns: whether there is no current one, so that the connection can be closed at once.
    mutating func finishAfterExchange() -> Bool {
        isLast = true
        if case .awaitingHead = phase { return true }
        return false
    }

    mutating func lingering(at now: NIODeadline) {
        phase = .lingering(since: now)
    }

    mutating func closed() {
        phase = .closed
    }

    mutating func writability(_ isWritable: Bool, at now: NIODeadline) {
        stalledSince = isWritable ? nil : (stalledSince ?? now)
    }

    /// When to ask ``expire(at:)`` again. Nil: only after something has happened.
    var deadline: NIODeadline? {
        let own: NIODeadline? =
            switch phase {
            case .awaitingHead(let since): since + limits.head
            case .receiving(let since, let bytes, _):
                since + limits.body + .seconds(Int64(bytes / max(1, limits.bodyBytesPerSecond)))
            case .lingering(let since): since + limits.linger
            case .answering, .closed: nil
            }
        guard let stalled = stalledSince.map({ $0 + limits.stalledWrite }) else { return own }
        return own.map { min($0, stalled) } ?? stalled
    }

    /// What is due now.
    func expire(at now: NIODeadline) -> Expiry {
        guard let deadline, now >= deadline else { return .none }
        if case .receiving(_, _, false) = phase, !isResponseStarted, stalledSince == nil { return .requestTimeout }
        return .close
    }
}
