import FluxRealtime
import NIOCore

/// A server's reader of WebSocket frames: RFC 6455, section 5, without extensions, without I/O.
///
/// Total: any sequence of bytes, in any pieces, gives events and at most one failure, in bounded time and memory. After
/// a close frame or a failure everything that follows is swallowed, as sections 5.5.1 and 7.1.7 ask. Unread bytes of an
/// incomplete frame stay with the caller: at most ``maximumMessageSize`` and 14 bytes of header, since a frame that
/// announces more is refused when its header is read. Fragments are joined here, under the same limit.
///
/// Departure from the RFC: whether text is UTF-8 is checked when its message is complete, not at the first bad byte.
struct WebSocketFrameParser: Sendable {
    /// What the peer said. Payloads are unmasked.
    enum Event: Equatable {
        /// A whole message. Clients may send their JSON as either kind (protocol 7.2); text is valid UTF-8.
        case message(ByteBuffer)
        /// To be answered with a pong of the same payload, at most 125 bytes.
        case ping(ByteBuffer)
        case pong
        /// The peer closes; without a code if it gave none. Nothing follows.
        case close(WebSocketCloseCode?)
    }

    /// Why the connection must be failed. Each names the rule that was broken.
    enum Failure: Error, Equatable {
        /// RSV1 to RSV3 without an agreed extension (5.2).
        case reservedBits
        /// An opcode without a meaning (5.2).
        case reservedOpcode
        /// A frame of a client that is not masked (5.1).
        case unmasked
        /// A length with its highest bit set, or written longer than needed (5.2).
        case malformedLength
        /// A control frame that is fragmented or longer than 125 bytes (5.5).
        case malformedControlFrame
        /// A continuation without a message, or a new message inside another (5.4).
        case misplacedFragment
        /// A close frame of one byte, with a forbidden code, or with a reason that is not UTF-8 (5.5.1, 7.4).
        case malformedClose
        /// Text that is not UTF-8 (8.1).
        case invalidText
        /// A message above the limit (protocol 7.2).
        case messageTooLarge

        /// The code to close with.
        var closeCode: WebSocketCloseCode {
            switch self {
            case .messageTooLarge: WebSocketCloseCode(.undecodable)
            case .invalidText: .invalidText
            default: .protocolError
            }
        }
    }

    /// Bytes a message may have, its fragments together (protocol 7.2).
    static let maximumMessageSize = 64 * 1024

    private static let maximumControlPayload = 125

    private enum State {
        /// Between messages.
        case idle
        /// Inside a fragmented message, with what has come of it.
        case fragmented(isText: Bool, joined: ByteBuffer)
        /// After a close frame or a failure.
        case finished
    }

    private var state = State.idle

    /// Takes the next event from the front of `buffer`.
    ///
    /// - Parameter buffer: what was received and not yet taken; on return only the bytes of an incomplete frame are left.
    /// - Returns: the event, or nil when more bytes are needed.
    /// - Throws: the rule that the peer broke. The connection has to be closed with its ``Failure/closeCode``.
    mutating func next(from buffer: inout ByteBuffer) throws(Failure) -> Event? {
        do {
            while true {
                if case .finished = state {
                    buffer.moveReaderIndex(to: buffer.writerIndex)
                    return nil
                }
                guard let header = try Header(peeking: buffer) else { return nil }
                try admit(header)
                guard buffer.readableBytes >= header.byteCount + header.payloadLength else { return nil }
                buffer.moveReaderIndex(forwardBy: header.byteCount)
                Self.unmask(&buffer, count: header.payloadLength, key: header.maskingKey)
                guard let payload = buffer.readSlice(length: header.payloadLength) else { return nil }
                if let event = try take(header, payload) { return event }
            }
        } catch {
            state = .finished
            throw error
        }
    }

    /// Refuses by the header alone what could not become valid by more bytes, before any of them is buffered.
    private func admit(_ header: Header) throws(Failure) {
        if header.opcode.isControl {
            guard header.isFinal, header.payloadLength <= Self.maximumControlPayload else {
                throw .malformedControlFrame
            }
            return
        }
        switch state {
        case .idle:
            guard header.opcode != .continuation else { throw .misplacedFragment }
            guard header.payloadLength <= Self.maximumMessageSize else { throw .messageTooLarge }
        case .fragmented(_, let joined):
            guard header.opcode == .continuation else { throw .misplacedFragment }
            guard header.payloadLength <= Self.maximumMessageSize - joined.readableBytes else { throw .messageTooLarge }
        case .finished:
            break
        }
    }

    /// Handles one whole frame. Nil: it was a fragment, and the message goes on.
    private mutating func take(_ header: Header, _ payload: ByteBuffer) throws(Failure) -> Event? {
        switch header.opcode {
        case .ping:
            return .ping(payload)
        case .pong:
            return .pong
        case .close:
            let code = try Self.closeCode(of: payload)
            state = .finished
            return .close(code)
        case .text, .binary:
            let isText = header.opcode == .text
            guard header.isFinal else {
                // A copy of its own, so that a small fragment does not keep a large read buffer alive.
                var joined = ByteBufferAllocator().buffer(capacity: payload.readableBytes)
                joined.writeImmutableBuffer(payload)
                state = .fragmented(isText: isText, joined: joined)
                return nil
            }
            return try Self.message(payload, isText: isText)
        case .continuation:
            guard case .fragmented(let isText, var joined) = state else { throw .misplacedFragment }
            // The state lets go of its reference first: appending must not copy what has been joined so far.
            state = .idle
            joined.writeImmutableBuffer(payload)
            guard header.isFinal else {
                state = .fragmented(isText: isText, joined: joined)
                return nil
            }
            return try Self.message(joined, isText: isText)
        }
    }

    private static func message(_ payload: ByteBuffer, isText: Bool) throws(Failure) -> Event {
        if isText, !payload.withUnsafeReadableBytes({ UTF8Validation.isValid($0) }) { throw .invalidText }
        return .message(payload)
    }

    private static func closeCode(of payload: ByteBuffer) throws(Failure) -> WebSocketCloseCode? {
        guard payload.readableBytes > 0 else { return nil }
        var payload = payload
        guard let number = payload.readInteger(as: UInt16.self) else { throw .malformedClose }
        let code = WebSocketCloseCode(rawValue: number)
        guard code.isAllowedOnWire, payload.withUnsafeReadableBytes({ UTF8Validation.isValid($0) }) else {
            throw .malformedClose
        }
        return code
    }

    /// Undoes the masking of 5.3 for the first `count` readable bytes, eight at a time, in place.
    private static func unmask(_ buffer: inout ByteBuffer, count: Int, key: UInt32) {
        guard count > 0, key != 0 else { return }
        buffer.withUnsafeMutableReadableBytes { bytes in
            let wide = UInt64(key) << 32 | UInt64(key)
            var offset = 0
            while offset + 8 <= count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                bytes.storeBytes(of: (word ^ wide).littleEndian, toByteOffset: offset, as: UInt64.self)
                offset += 8
            }
            // The wide steps are a multiple of the key's four bytes, so that the key begins anew here.
            var rest = key
            while offset < count {
                bytes[offset] ^= UInt8(truncatingIfNeeded: rest)
                rest = rest >> 8 | rest << 24
                offset += 1
            }
        }
    }
}

extension WebSocketFrameParser {
    /// The first 6 to 14 bytes of a client's frame.
    private struct Header {
        var isFinal: Bool
        var opcode: WebSocketOpcode
        var payloadLength: Int
        /// Little-endian: its lowest byte masks the first byte of the payload.
        var maskingKey: UInt32
        var byteCount: Int

        /// - Returns: nil when the header is not complete yet.
        init?(peeking buffer: ByteBuffer) throws(Failure) {
            let start = buffer.readerIndex
            guard let start16 = buffer.getInteger(at: start, as: UInt16.self) else { return nil }
            let first = UInt8(truncatingIfNeeded: start16 >> 8)
            let second = UInt8(truncatingIfNeeded: start16)

            guard first & 0x70 == 0 else { throw .reservedBits }
            guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else { throw .reservedOpcode }
            guard second & 0x80 != 0 else { throw .unmasked }
            self.opcode = opcode
            isFinal = first & 0x80 != 0

            let lengthBytes: Int
            switch second & 0x7F {
            case 126:
                guard let length = buffer.getInteger(at: start + 2, as: UInt16.self) else { return nil }
                guard length >= 126 else { throw .malformedLength }
                payloadLength = Int(length)
                lengthBytes = 2
            case 127:
                guard let length = buffer.getInteger(at: start + 2, as: UInt64.self) else { return nil }
                guard length > UInt64(UInt16.max), let whole = Int(exactly: length) else { throw .malformedLength }
                payloadLength = whole
                lengthBytes = 8
            case let short:
                payloadLength = Int(short)
                lengthBytes = 0
            }
            let keyIndex = start + 2 + lengthBytes
            guard let key = buffer.getInteger(at: keyIndex, endianness: .host, as: UInt32.self) else { return nil }
            maskingKey = UInt32(littleEndian: key)
            byteCount = 2 + lengthBytes + 4
        }
    }
}
