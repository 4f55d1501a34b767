import NIOCore

@testable import FluxGateway

/// A frame as a client writes it, with everything open to be written wrongly.
struct ClientFrame {
    var opcode: UInt8
    var payload: [UInt8] = []
    var isFinal = true
    var reserved: UInt8 = 0
    var key: [UInt8]? = [0x12, 0xA4, 0x5B, 0xFE]
    /// The form of the length: nil for the shortest, 126 or 127 to force one.
    var lengthForm: UInt8?

    static func text(_ text: String) -> ClientFrame { ClientFrame(opcode: 1, payload: Array(text.utf8)) }

    static func close(_ code: UInt16?, reason: String = "") -> ClientFrame {
        let number = code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? []
        return ClientFrame(opcode: 8, payload: number + Array(reason.utf8))
    }

    var bytes: [UInt8] {
        var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
        let form = lengthForm ?? (payload.count < 126 ? UInt8(payload.count) : payload.count <= 0xFFFF ? 126 : 127)
        bytes.append((key == nil ? 0 : 0x80) | form)
        let lengthBytes = form == 126 ? 2 : form == 127 ? 8 : 0
        for index in (0..<lengthBytes).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: payload.count >> (8 * index)))
        }
        guard let key else { return bytes + payload }
        return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }
}

extension ByteBuffer {
    var text: String { String(buffer: self) }
}
