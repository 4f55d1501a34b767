/// The head of a frame that the server sends: final, unmasked (RFC 6455, section 5.1), in its shortest form.
///
/// Written straight in front of a body in the connection's one buffer, so that a frame costs no allocation and no copy.
struct WebSocketFrameHeader {
    /// Bytes that the largest header takes.
    static let maximumByteCount = 10

    var opcode: WebSocketOpcode
    var payloadLength: Int

    /// How many bytes ``write(to:)`` writes: 2, 4 or 10.
    var byteCount: Int {
        switch payloadLength {
        case ..<126: 2
        case ...Int(UInt16.max): 4
        default: 10
        }
    }

    /// Writes the header to the front of `bytes`, which must hold ``byteCount`` bytes.
    func write(to bytes: UnsafeMutableRawBufferPointer) {
        bytes[0] = 0x80 | opcode.rawValue
        switch byteCount {
        case 2:
            bytes[1] = UInt8(truncatingIfNeeded: payloadLength)
        case 4:
            bytes[1] = 126
            bytes.storeBytes(of: UInt16(truncatingIfNeeded: payloadLength).bigEndian, toByteOffset: 2, as: UInt16.self)
        default:
            bytes[1] = 127
            bytes.storeBytes(of: UInt64(payloadLength).bigEndian, toByteOffset: 2, as: UInt64.self)
        }
    }
}
