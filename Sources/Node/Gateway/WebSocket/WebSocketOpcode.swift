/// What a WebSocket frame carries (RFC 6455, section 5.2). The other eleven values are reserved and refused.
enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    /// Control frames may stand between the fragments of a message, and must not be fragmented themselves.
    var isControl: Bool { rawValue & 0x8 != 0 }
}
