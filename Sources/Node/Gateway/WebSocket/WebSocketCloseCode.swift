import FluxRealtime

/// The number in a close frame (RFC 6455, section 7.4). The gateway's own numbers are ``GatewayCloseCode``.
struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt16

    init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    init(_ code: GatewayCloseCode) {
        rawValue = code.rawValue
    }

    /// The purpose of the connection is fulfilled.
    static let normal = WebSocketCloseCode(rawValue: 1000)
    /// The peer broke the framing rules.
    static let protocolError = WebSocketCloseCode(rawValue: 1002)
    /// A text message was not UTF-8.
    static let invalidText = WebSocketCloseCode(rawValue: 1007)

    /// Whether a peer may put this number on the wire (RFC 6455, section 7.4.1 and 7.4.2): not the ones reserved for
    /// local use (1004, 1005, 1006, 1015), not those below 1000 or without meaning yet (1016 to 2999), not above 4999.
    var isAllowedOnWire: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
