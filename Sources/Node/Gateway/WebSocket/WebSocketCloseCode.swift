/// The number in a close frame: RFC 6455, section 7.4, and the gateway's own of protocol 7.6.
public struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    // MARK: RFC 6455

    /// The purpose of the connection is fulfilled. From a client: its session ends at once.
    public static let normal = WebSocketCloseCode(rawValue: 1000)
    /// The endpoint goes away (a page is left). From a client: its session ends at once.
    public static let goingAway = WebSocketCloseCode(rawValue: 1001)
    /// The peer broke the framing rules.
    public static let protocolError = WebSocketCloseCode(rawValue: 1002)
    /// A text message was not UTF-8.
    public static let invalidText = WebSocketCloseCode(rawValue: 1007)

    // MARK: The gateway's (protocol 7.6)

    /// Unknown error, or the session was taken over by another connection. Resumable.
    public static let unknownError = WebSocketCloseCode(rawValue: 4000)
    /// An opcode that does not exist. Final for hikari: only ever an answer to what the client itself sent.
    public static let unknownOpcode = WebSocketCloseCode(rawValue: 4001)
    /// A payload that is no JSON object of the expected shape, is too large, or asks for another encoding.
    public static let undecodable = WebSocketCloseCode(rawValue: 4002)
    /// A payload that needs a session came before IDENTIFY.
    public static let notIdentified = WebSocketCloseCode(rawValue: 4003)
    /// The token is not valid (any more).
    public static let badToken = WebSocketCloseCode(rawValue: 4004)
    /// A second IDENTIFY on the same connection.
    public static let identifiedTwice = WebSocketCloseCode(rawValue: 4005)
    /// A RESUME with a sequence number that was never sent.
    public static let badSequence = WebSocketCloseCode(rawValue: 4007)
    /// More than 120 payloads in a minute.
    public static let tooFast = WebSocketCloseCode(rawValue: 4008)
    /// No heartbeat for one and a half intervals, or no IDENTIFY in time.
    public static let timedOut = WebSocketCloseCode(rawValue: 4009)
    /// A shard that cannot be.
    public static let badShard = WebSocketCloseCode(rawValue: 4010)
    /// Another version of the API than 9 or 10.
    public static let badVersion = WebSocketCloseCode(rawValue: 4012)
    /// Intents that are no number, or absent for a bot.
    public static let badIntents = WebSocketCloseCode(rawValue: 4013)

    /// Whether a peer may put this number on the wire (RFC 6455, section 7.4.1 and 7.4.2): not the ones reserved for
    /// local use (1004, 1005, 1006, 1015), not those below 1000 or without meaning yet (1016 to 2999), not above 4999.
    public var isAllowedOnWire: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// Whether a client that closes with this code means to end its session instead of resuming it (protocol 7.5).
    public var endsSession: Bool { self == .normal || self == .goingAway }
}
