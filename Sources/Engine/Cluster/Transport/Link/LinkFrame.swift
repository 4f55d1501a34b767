import NIOCore

/// What travels on one connection between two nodes: 4 bytes of length (lowest first), one byte of kind, and the kind's body.
///
/// The length counts kind and body. The first four kinds make the handshake; their layout never changes, because it is what
/// nodes of any two versions must understand of each other.
enum LinkFrame: Equatable {
    /// The dialler says who it is, and which lane of which link this connection is to be.
    case hello(LinkHello)
    /// The acceptor agrees.
    case welcome(LinkWelcome)
    /// The dialler has both connections; frames may flow.
    case ready
    /// Why the sender closes the connection after this. At any time.
    case refusal(LinkRefusal)
    /// The receiver has used up so many bytes of data frames, head included: as many more may be sent.
    case credit(UInt64)
    /// Asks for a pong with the same number.
    case ping(UInt64)
    /// Answers a ping.
    case pong(UInt64)
    /// A frame of the cluster (`ClusterFrame`).
    case data([UInt8])

    /// Bytes before the body.
    static let headByteCount = 5
    /// The kind of data frames.
    static let dataKind: UInt8 = 8

    /// Reads a body.
    init(_ raw: RawFrame) throws(WireError) {
        if raw.kind == Self.dataKind {
            self = .data(raw.body)
            return
        }
        var reader = WireReader(raw.body)
        switch raw.kind {
        case 1: self = .hello(try reader.value())
        case 2: self = .welcome(try reader.value())
        case 3: self = .ready
        case 4: self = .refusal(try reader.value())
        case 5: self = .credit(try reader.unsigned())
        case 6: self = .ping(try reader.unsigned())
        case 7: self = .pong(try reader.unsigned())
        default: throw .unknownCase(UInt64(raw.kind))
        }
    }

    /// The frame's kind and body. Written in the oldest version, as nothing may have been agreed on.
    func raw(_ dialect: WireDialect) -> RawFrame {
        var writer = WireWriter(dialect: dialect)
        switch self {
        case .hello(let hello):
            writer.value(hello)
            return RawFrame(kind: 1, body: writer.bytes)
        case .welcome(let welcome):
            writer.value(welcome)
            return RawFrame(kind: 2, body: writer.bytes)
        case .ready:
            return RawFrame(kind: 3, body: [])
        case .refusal(let refusal):
            writer.value(refusal)
            return RawFrame(kind: 4, body: writer.bytes)
        case .credit(let count):
            writer.unsigned(count)
            return RawFrame(kind: 5, body: writer.bytes)
        case .ping(let number):
            writer.unsigned(number)
            return RawFrame(kind: 6, body: writer.bytes)
        case .pong(let number):
            writer.unsigned(number)
            return RawFrame(kind: 7, body: writer.bytes)
        case .data(let bytes):
            return RawFrame(kind: Self.dataKind, body: bytes)
        }
    }

    /// Appends the whole frame.
    func encode(into buffer: inout ByteBuffer, dialect: WireDialect = .own) {
        raw(dialect).encode(into: &buffer)
    }
}

/// A frame of which only the kind is known.
struct RawFrame: Equatable {
    let kind: UInt8
    let body: [UInt8]

    /// Appends length, kind and body.
    func encode(into buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt32(truncatingIfNeeded: body.count + 1), endianness: .little)
        buffer.writeInteger(kind)
        buffer.writeBytes(body)
    }
}
