import FluxCore
import FluxRealtime
import NIOCore

/// What a connection has to send next: frames, one behind the other in one buffer.
///
/// A payload becomes a text frame of its own; with `zlib-stream` a binary frame with its part of the stream; in batch
/// mode an element of the array of the frame that is open (protocol 7.2, 10.4). A frame's bytes are complete and in
/// order once ``seal()`` has been called. Nothing is allocated but the buffer's growth.
struct OutboundFrames {
    /// Bytes of payloads after which a batched frame is sealed.
    static let batchByteLimit = 16 * 1024

    /// The room that is kept for the header of a frame whose length is not known yet: the commonest one's.
    private static let reservedHeader = 4

    /// The buffer that frames are written to. The owner may replace an empty one with a larger one.
    var buffer = ByteBuffer()

    private let deflate: DeflateStream?
    private let isBatched: Bool
    /// The batched frame that payloads are being added to.
    private var open: (start: Int, payloads: Int, bytes: Int)?

    /// - Parameter deflate: the connection's stream, when it is compressed.
    init(deflate: DeflateStream?, isBatched: Bool) {
        self.deflate = deflate
        self.isBatched = isBatched
    }

    /// Bytes that are waiting.
    var byteCount: Int { buffer.readableBytes }

    /// Puts a dispatch at the end.
    mutating func append(_ event: StreamEvent, sequence: UInt64) {
        withUnsafeTemporaryAllocation(byteCount: DispatchHead.maximumByteCount, alignment: 1) { head in
            let count = DispatchHead.write(event.kind, sequence: sequence, to: head)
            event.body.withUnsafeBytes { body in
                append(head: UnsafeRawBufferPointer(rebasing: head[..<count]), body: body)
            }
        }
    }

    /// Puts a payload without sequence number at the end: `{"op":opcode,"s":null,"t":null,"d":body}`. nextcord reads both
    /// of every payload without asking whether they are there.
    /// - Parameter isAlone: it shares a frame with nothing, as protocol 10.4 asks for ops 7 and 9.
    mutating func append(_ opcode: GatewayOpcode, body: some Collection<UInt8>, isAlone: Bool = false) {
        if isAlone { seal() }
        let head = Array("{\"op\":\(opcode.rawValue),\"s\":null,\"t\":null,\"d\":".utf8)
        head.withUnsafeBytes { head in
            Array(body).withUnsafeBytes { append(head: head, body: $0) }
        }
        if isAlone { seal() }
    }

    /// Puts a control frame at the end.
    mutating func append(_ opcode: WebSocketOpcode, payload: ByteBuffer) {
        seal()
        let header = WebSocketFrameHeader(opcode: opcode, payloadLength: payload.readableBytes)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: header.byteCount) { bytes in
            header.write(to: bytes)
            return header.byteCount
        }
        buffer.writeImmutableBuffer(payload)
    }

    /// Ends the frame that is open, if there is one. To be called before the buffer is sent.
    mutating func seal() {
        guard let frame = open else { return }
        open = nil
        write(ascii: "]")
        end(frameAt: frame.start)
    }

    /// Gives the buffer away, and begins with another one.
    mutating func exchangeBuffer(for next: ByteBuffer) -> ByteBuffer {
        let taken = buffer
        buffer = next
        return taken
    }

    /// Forgets what has not been taken.
    mutating func discard() {
        open = nil
        buffer = ByteBuffer()
    }

    // MARK: Payloads

    /// Puts `head`, `body` and a closing brace at the end.
    private mutating func append(head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
        if isBatched {
            appendToBatch(head: head, body: body)
        } else if deflate != nil {
            let start = begin()
            write(head)
            write(body)
            write(ascii: "}")
            end(frameAt: start)
        } else {
            appendText(head: head, body: body)
        }
    }

    /// The path of most payloads: the length is known, so everything is written once, where it belongs.
    private mutating func appendText(head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
        let length = head.count + body.count + 1
        let header = WebSocketFrameHeader(opcode: .text, payloadLength: length)
        let bodyStart = header.byteCount + head.count
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: header.byteCount + length) { bytes in
            header.write(to: bytes)
            UnsafeMutableRawBufferPointer(rebasing: bytes[header.byteCount..<bodyStart]).copyMemory(from: head)
            UnsafeMutableRawBufferPointer(rebasing: bytes[bodyStart...]).copyMemory(from: body)
            bytes[bodyStart + body.count] = UInt8(ascii: "}")
            return header.byteCount + length
        }
    }

    private mutating func appendToBatch(head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
        var frame = open ?? (start: begin(), payloads: 0, bytes: 0)
        write(ascii: frame.payloads == 0 ? "[" : ",")
        write(head)
        write(body)
        write(ascii: "}")
        frame.payloads += 1
        frame.bytes += head.count + body.count + 1
        open = frame
        if frame.payloads == GatewayEnvelope.maximumBatchedPayloads || frame.bytes >= Self.batchByteLimit { seal() }
    }

    // MARK: Frames of unknown length

    /// Leaves room for a header. - Returns: where the frame starts.
    private mutating func begin() -> Int {
        let start = buffer.writerIndex
        buffer.writeRepeatingByte(0, count: Self.reservedHeader)
        return start
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) {
        if let deflate {
            deflate.write(bytes, into: &buffer)
        } else {
            buffer.writeBytes(bytes)
        }
    }

    private mutating func write(ascii: Unicode.Scalar) {
        withUnsafeBytes(of: UInt8(ascii: ascii)) { write($0) }
    }

    /// Writes the header of the frame that ends here, and moves the payload if the header is not of the size foreseen.
    private mutating func end(frameAt start: Int) {
        deflate?.flush(into: &buffer)
        let payloadStart = start + Self.reservedHeader
        let length = buffer.writerIndex - payloadStart
        let header = WebSocketFrameHeader(opcode: deflate == nil ? .text : .binary, payloadLength: length)
        let shift = header.byteCount - Self.reservedHeader
        if shift > 0 { buffer.writeRepeatingByte(0, count: shift) }
        buffer.withVeryUnsafeMutableBytes { bytes in
            let frame = UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
            // The regions overlap; copyMemory is a memmove.
            UnsafeMutableRawBufferPointer(rebasing: frame[header.byteCount...])
                .copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: frame[Self.reservedHeader...][..<(Self.reservedHeader + length)]))
            header.write(to: frame)
        }
        if shift < 0 { buffer.moveWriterIndex(to: buffer.writerIndex + shift) }
    }
}
