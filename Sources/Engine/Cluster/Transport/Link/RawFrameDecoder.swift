import NIOCore

/// Cuts what a connection receives into frames.
///
/// Total: gives a frame, asks for more bytes, or refuses. It keeps at most one incomplete frame, and takes no memory for a
/// length that was only claimed. Before the handshake is done the limit is small.
struct RawFrameDecoder {
    /// The most bytes that kind and body of one frame may have.
    var limit: Int
    private var buffer = ByteBuffer()

    /// A decoder of frames up to the limit.
    init(limit: Int) {
        self.limit = limit
    }

    /// How many bytes wait for the rest of their frame.
    var bufferedByteCount: Int { buffer.readableBytes }

    /// Takes bytes in the order of arrival.
    mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The first bytes of a dialler: nil as long as they are not all there.
    mutating func preamble() throws(LinkRefusal) -> ConnectionMode? {
        let available = buffer.readableBytesView.prefix(ConnectionMode.magic.count)
        guard ConnectionMode.magic.starts(with: available) else { throw .notFlux }
        guard buffer.readableBytes > ConnectionMode.magic.count else { return nil }
        buffer.moveReaderIndex(forwardBy: ConnectionMode.magic.count)
        guard let byte: UInt8 = buffer.readInteger(), let mode = ConnectionMode(rawValue: byte) else {
            throw .notFlux
        }
        return mode
    }

    /// The next whole frame: nil when more bytes are needed.
    mutating func next() throws(LinkRefusal) -> RawFrame? {
        guard let length: UInt32 = buffer.getInteger(at: buffer.readerIndex, endianness: .little) else {
            keepRest()
            return nil
        }
        guard length > 0 else { throw .malformed("empty frame") }
        guard length <= limit else { throw .malformed("frame of \(length) bytes, at most \(limit) are taken") }
        guard buffer.readableBytes >= 4 + Int(length) else {
            keepRest()
            return nil
        }
        buffer.moveReaderIndex(forwardBy: 4)
        guard let kind: UInt8 = buffer.readInteger(), let body = buffer.readBytes(length: Int(length) - 1) else {
            throw .malformed("frame")
        }
        return RawFrame(kind: kind, body: body)
    }

    /// Everything that has not been read.
    mutating func takeRest() -> ByteBuffer {
        defer { buffer = ByteBuffer() }
        return buffer
    }

    /// Lets go of the memory of frames that were read, so that an idle connection keeps none.
    private mutating func keepRest() {
        if buffer.readableBytes == 0 {
            buffer = ByteBuffer()
        } else if buffer.readerIndex > 0 {
            buffer = ByteBuffer(buffer.readableBytesView)
        }
    }
}

/// What a dialler wants; it says so with its first bytes, `FLUX` and one more.
enum ConnectionMode: UInt8 {
    /// To be one connection of a link between two members: `L`.
    case link = 0x4C
    /// To join the cluster: `J`.
    case join = 0x4A

    static let magic = Array("FLUX".utf8)

    /// The first bytes.
    var preamble: [UInt8] { Self.magic + [rawValue] }
}
