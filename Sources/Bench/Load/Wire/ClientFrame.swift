import NIOCore

/// Writes a client's frames: final, masked.
enum ClientFrame {
    static let text: UInt8 = 1
    static let close: UInt8 = 8
    static let pong: UInt8 = 10

    /// Appends a frame.
    static func write(
        _ opcode: UInt8, _ payload: some Collection<UInt8>, mask: UInt32, into buffer: inout ByteBuffer
    ) {
        buffer.writeInteger(0x80 | opcode)
        switch payload.count {
        case ..<126: buffer.writeInteger(0x80 | UInt8(payload.count))
        case ...0xFFFF:
            buffer.writeInteger(UInt8(0x80 | 126))
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(UInt8(0x80 | 127))
            buffer.writeInteger(UInt64(payload.count))
        }
        buffer.writeInteger(mask)
        var position: UInt32 = 0
        for byte in payload {
            buffer.writeInteger(byte ^ UInt8(truncatingIfNeeded: mask >> (24 - 8 * (position & 3))))
            position &+= 1
        }
    }
}
