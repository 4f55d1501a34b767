import FluxRealtime
import NIOCore

/// The life of one gateway connection, without I/O and without a clock (protocol 7.3 to 7.6).
///
/// It decides what each payload of the client may do, and when the connection has lasted too long without one. It does
/// not decode bodies and holds no session: the shell performs what it returns and reports what the session layer said.
///
///     opened ── IDENTIFY, RESUME ──▶ establishing ── READY, RESUMED ──▶ attached
///        ▲                               │
///        └──────── INVALID_SESSION ──────┘            any ── close ──▶ closed
struct GatewayConnectionState: Sendable {
    /// Times and bounds. The defaults are the contract's.
    struct Limits: Sendable {
        /// What HELLO says. Above 55 s libraries take the link for dead between two beats.
        var heartbeatInterval = TimeAmount.milliseconds(41_250)
        /// From HELLO or INVALID_SESSION to IDENTIFY or RESUME.
        var identifyTimeout = TimeAmount.seconds(30)
        /// Payloads held back while IDENTIFY or RESUME is under way.
        var deferredPayloads = 64

        init() {}
    }

    /// What to do with a payload.
    enum Admission: Equatable {
        case perform(GatewayOpcode)
        /// Hold it until the session is there, then perform it in its place.
        case holdBack(GatewayOpcode)
        case ignore
        case close(GatewayCloseCode)
    }

    private enum Phase: Equatable {
        case opened(identifyBy: NIODeadline)
        case establishing(held: Int)
        case attached
        case closed
    }

    private let limits: Limits
    private var phase: Phase
    private var lastHeartbeat: NIODeadline
    private var budget = PayloadBudget()

    /// - Parameter now: when HELLO was sent.
    init(limits: Limits, openedAt now: NIODeadline) {
        self.limits = limits
        phase = .opened(identifyBy: now + limits.identifyTimeout)
        lastHeartbeat = now
    }

    /// Decides about the next payload of the client, by its opcode alone. For IDENTIFY and RESUME the answer `perform`
    /// begins the establishing; a body that cannot be decoded then closes the connection, so nothing has to be undone.
    mutating func admit(opcode: Int, at now: NIODeadline) -> Admission {
        guard phase != .closed else { return .ignore }
        guard let opcode = GatewayOpcode(rawValue: opcode) else { return .close(.unknownOpcode) }
        // Heartbeats are owed, and messages have a budget of their own (protocol 3.6).
        if opcode != .heartbeat, opcode != .messageSend, !budget.spend(at: now) { return .close(.rateLimited) }

        switch opcode {
        case .heartbeat:
            lastHeartbeat = now
            return .perform(.heartbeat)
        case .identify, .resume:
            guard case .opened = phase else { return .close(.alreadyIdentified) }
            phase = .establishing(held: 0)
            return .perform(opcode)
        case .presenceUpdate, .voiceStateUpdate, .requestGuildMembers, .messageSend:
            return admitToSession(opcode)
        case .lazyRequest, .soundboardRequest, .channelInfoRequest:
            return .ignore
        case .dispatch, .reconnect, .invalidSession, .hello, .heartbeatAcknowledgement, .messageSendAcknowledgement:
            return .close(.unknownOpcode)
        }
    }

    private mutating func admitToSession(_ opcode: GatewayOpcode) -> Admission {
        switch phase {
        case .attached:
            return .perform(opcode)
        case .establishing(let held):
            guard held < limits.deferredPayloads else { return .close(.rateLimited) }
            phase = .establishing(held: held + 1)
            return .holdBack(opcode)
        case .opened:
            return .close(.notIdentified)
        case .closed:
            return .ignore
        }
    }

    /// READY or RESUMED is on its way: what was held back may be performed.
    mutating func established() {
        if case .establishing = phase { phase = .attached }
    }

    /// INVALID_SESSION was sent. The connection stays open for an IDENTIFY, and what was held back is void.
    mutating func sessionInvalidated(at now: NIODeadline) {
        switch phase {
        case .establishing, .attached: phase = .opened(identifyBy: now + limits.identifyTimeout)
        case .opened, .closed: break
        }
    }

    /// Either side closes. Nothing is admitted any more.
    mutating func closed() {
        phase = .closed
    }

    /// Whether either side has closed.
    var isClosed: Bool { phase == .closed }

    /// When ``isOverdue(at:)`` will be true if nothing comes. Nil when closed.
    var deadline: NIODeadline? {
        let heartbeatBy = lastHeartbeat + limits.heartbeatInterval * 3 / 2
        return switch phase {
        case .opened(let identifyBy): min(identifyBy, heartbeatBy)
        case .establishing, .attached: heartbeatBy
        case .closed: nil
        }
    }

    /// Whether the client has been silent for too long: close with 4009. Its session stays resumable.
    func isOverdue(at now: NIODeadline) -> Bool {
        deadline.map { now >= $0 } ?? false
    }
}

extension TimeAmount {
    fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount {
        .nanoseconds(amount.nanoseconds / divisor)
    }
}
