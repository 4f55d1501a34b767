import NIOCore

/// Reads the server's WebSocket frames (RFC 6455) out of a stream of bytes. Total: bytes are a frame, part of one, or a
/// violation. A server's frames are never masked; messages may be fragmented, control frames come between.
struct FrameReader {
    /// The largest message that is accepted: a READY of a large community is below it.
    static let maximumMessage = 64 << 20

    struct Frame: Equatable {
        var isFinal: Bool
        var opcode: UInt8
        /// Where its payload lies, from the start of the bytes that were read.
        var payload: Range<Int>
        /// Where the next frame begins.
        var end: Int
    }

    enum Reading: Equatable {
        case frame(Frame)
        case needsMore
        case violation(String)
    }

    /// Reads the frame that begins at `start`.
    static func read(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Reading {
        guard bytes.count - start >= 2 else { return .needsMore }
        let (first, second) = (bytes[start], bytes[start + 1])
        guard first & 0x70 == 0 else { return .violation("a frame with reserved bits: \(first)") }
        guard second & 0x80 == 0 else { return .violation("a masked frame") }
        let opcode = first & 0x0F
        let isFinal = first & 0x80 != 0
        var header = 2
        var length = Int(second & 0x7F)
        if length == 126 {
            guard bytes.count - start >= 4 else { return .needsMore }
            length = Int(bytes[start + 2]) << 8 | Int(bytes[start + 3])
            header = 4
            guard length >= 126 else { return .violation("a length of \(length) in long form") }
        } else if length == 127 {
            guard bytes.count - start >= 10 else { return .needsMore }
            var wide: UInt64 = 0
            for index in 2..<10 { wide = wide << 8 | UInt64(bytes[start + index]) }
            header = 10
            guard wide > 0xFFFF else { return .violation("a length of \(wide) in the longest form") }
            guard wide <= UInt64(maximumMessage) else { return .violation("a frame of \(wide) bytes") }
            length = Int(wide)
        }
        switch opcode {
        case 0, 1, 2: break
        case 8, 9, 10: guard isFinal, length <= 125 else { return .violation("a control frame of \(length) bytes") }
        default: return .violation("a frame of opcode \(opcode)")
        }
        guard bytes.count - start - header >= length else { return .needsMore }
        let payload = start + header
        return .frame(
            Frame(isFinal: isFinal, opcode: opcode, payload: payload..<payload + length, end: payload + length))
    }
}
