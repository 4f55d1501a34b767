import CZlib
import NIOCore

/// A frame of the server, read strictly: final, unmasked, no reserved bits, shortest length.
struct ServerFrame: Equatable {
    struct Malformed: Error {
        var reason: String
    }

    var opcode: UInt8
    var payload: [UInt8]

    var text: String { String(decoding: payload, as: UTF8.self) }

    /// Takes the next whole frame from the front of `buffer`; nil if there is none.
    static func read(from buffer: inout ByteBuffer) throws -> ServerFrame? {
        var copy = buffer
        guard let first = copy.readInteger(as: UInt8.self), let second = copy.readInteger(as: UInt8.self) else {
            return nil
        }
        guard first & 0xF0 == 0x80 else { throw Malformed(reason: "not final, or reserved bits: \(first)") }
        guard second & 0x80 == 0 else { throw Malformed(reason: "masked") }
        var length = Int(second)
        if second == 126 {
            guard let wide = copy.readInteger(as: UInt16.self) else { return nil }
            length = Int(wide)
            guard length >= 126 else { throw Malformed(reason: "long form of \(length)") }
        } else if second == 127 {
            guard let wide = copy.readInteger(as: UInt64.self) else { return nil }
            length = Int(wide)
            guard length > 0xFFFF else { throw Malformed(reason: "longest form of \(length)") }
        }
        guard let payload = copy.readBytes(length: length) else { return nil }
        buffer = copy
        return ServerFrame(opcode: first & 0x0F, payload: payload)
    }

    /// All frames of a buffer, which must hold nothing else.
    static func all(in buffer: ByteBuffer) throws -> [ServerFrame] {
        var buffer = buffer
        var frames: [ServerFrame] = []
        while let frame = try read(from: &buffer) { frames.append(frame) }
        guard buffer.readableBytes == 0 else { throw Malformed(reason: "\(buffer.readableBytes) bytes left over") }
        return frames
    }
}

/// The reading end of a zlib stream, as a gateway client has it.
final class InflateStream {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() {
        stream.initialize(to: z_stream())
        precondition(inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Nil if the bytes do not go on with the stream.
    func read(_ bytes: [UInt8]) -> [UInt8]? {
        var input = bytes
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        return input.withUnsafeMutableBufferPointer { input -> [UInt8]? in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            while true {
                let produced = chunk.withUnsafeMutableBufferPointer { chunk -> Int? in
                    stream.pointee.next_out = chunk.baseAddress
                    stream.pointee.avail_out = UInt32(chunk.count)
                    let status = inflate(stream, Z_SYNC_FLUSH)
                    guard status == Z_OK || status == Z_BUF_ERROR else { return nil }
                    return chunk.count - Int(stream.pointee.avail_out)
                }
                guard let produced else { return nil }
                output += chunk[..<produced]
                if produced < chunk.count { return output }
            }
        }
    }
}
