/// What two nodes say to each other to find out who is alive.
public struct MembershipMessage: Hashable, Sendable {
    /// What it is for.
    public enum Kind: Hashable, Sendable {
        /// Are you there?
        case ping(sequence: UInt64)
        /// Yes; or, from a helper: yes, the one that you asked for is there.
        case acknowledgement(sequence: UInt64)
        /// Ask that member for me.
        case pingRequest(sequence: UInt64, target: NodeID)
        /// I am there, but the one that you asked for did not answer me (Lifeguard's nack).
        case noAnswer(sequence: UInt64)
        /// News alone.
        case gossip
        /// Everything that I know; answer with everything that you know.
        case exchange
        /// The answer to that.
        case exchangeAnswer
    }

    /// The sender's incarnation.
    public var incarnation: Int64
    /// How often the sender's incarnation has refuted.
    public var refutation: UInt32
    /// What it is for.
    public var kind: Kind
    /// News that it carries.
    public var rumours: [Rumour]

    /// A message from its parts.
    public init(incarnation: Int64, refutation: UInt32, kind: Kind, rumours: [Rumour] = []) {
        self.incarnation = incarnation
        self.refutation = refutation
        self.kind = kind
        self.rumours = rumours
    }
}

extension MembershipMessage: WireCodable {
    /// A record of incarnation, refutation, kind with its fields, and news.
    public func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.signed(incarnation)
            fields.unsigned(refutation)
            kind.encode(to: &fields)
            fields.list(rumours.map(RumourOnWire.init))
        }
    }

    /// Reads a record. News of a kind that is not known is left out; a message of such a kind is an error, and its
    /// receiver passes it over.
    public init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            let (incarnation, refutation): (Int64, UInt32) = (try fields.signed(), try fields.unsigned())
            let kind = try Kind(from: &fields)
            let rumours = try fields.list(of: RumourOnWire.self).compactMap(\.rumour)
            return MembershipMessage(
                incarnation: incarnation, refutation: refutation, kind: kind, rumours: rumours)
        }
    }
}

extension MembershipMessage.Kind {
    fileprivate func encode(to writer: inout WireWriter) {
        switch self {
        case .ping(let sequence):
            writer.byte(1)
            writer.unsigned(sequence)
        case .acknowledgement(let sequence):
            writer.byte(2)
            writer.unsigned(sequence)
        case .pingRequest(let sequence, let target):
            writer.byte(3)
            writer.unsigned(sequence)
            writer.value(target)
        case .noAnswer(let sequence):
            writer.byte(4)
            writer.unsigned(sequence)
        case .gossip: writer.byte(5)
        case .exchange: writer.byte(6)
        case .exchangeAnswer: writer.byte(7)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .ping(sequence: try reader.unsigned())
        case 2: self = .acknowledgement(sequence: try reader.unsigned())
        case 3: self = .pingRequest(sequence: try reader.unsigned(), target: try reader.value())
        case 4: self = .noAnswer(sequence: try reader.unsigned())
        case 5: self = .gossip
        case 6: self = .exchange
        case 7: self = .exchangeAnswer
        case let other: throw .unknownCase(UInt64(other))
        }
    }
}
