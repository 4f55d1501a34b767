import CZlib
import NIOCore

/// The one zlib stream of a connection with `compress=zlib-stream` (protocol 7.2; RFC 1950, 1951).
///
/// A small window and little memory: 4 KiB of history still finds the keys that repeat from event to event, and the
/// stream costs 32 KiB a connection instead of 256.
final class DeflateStream {
    private static let windowBits: Int32 = 12
    private static let memoryLevel: Int32 = 5
    /// The lowest level with lazy matching: at twice the speed of the default it gives away some percent of size.
    private static let level: Int32 = 4
    private static let outputStep = 512

    /// On the heap, because zlib keeps a pointer back to it: it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Returns: nil when there is no memory for the stream.
    init?() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = deflateInit2_(
            stream, Self.level, Z_DEFLATED, Self.windowBits, Self.memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Compresses `bytes` into `buffer`; what comes out may lag behind until ``flush(into:)``.
    func write(_ bytes: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        // zlib does not write through `next_in`; its declaration lacks the const.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(bytes.count)
        run(Z_NO_FLUSH, into: &buffer)
        stream.pointee.next_in = nil
    }

    /// Brings everything written so far into `buffer`; the last four bytes are `00 00 FF FF`.
    func flush(into buffer: inout ByteBuffer) {
        run(Z_SYNC_FLUSH, into: &buffer)
    }

    private func run(_ mode: Int32, into buffer: inout ByteBuffer) {
        // Room left over means that zlib has nothing more to give (zlib.h, deflate()).
        var hasRoomLeft = false
        while !hasRoomLeft {
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.outputStep) { output in
                stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(output.count)
                // Z_BUF_ERROR, the only possible failure, says that there was nothing to do.
                _ = deflate(stream, mode)
                hasRoomLeft = stream.pointee.avail_out > 0
                return output.count - Int(stream.pointee.avail_out)
            }
        }
        stream.pointee.next_out = nil
    }
}
