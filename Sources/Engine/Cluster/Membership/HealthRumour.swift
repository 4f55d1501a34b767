/// What somebody holds a member to be.
public struct HealthRumour: Hashable, Sendable {
    /// Whom it is about.
    public var node: NodeID
    /// Which of its incarnations (a start of its process).
    public var incarnation: Int64
    /// How often that incarnation had refuted before: SWIM's incarnation number.
    public var refutation: UInt32
    /// How it is.
    public var health: Health
    /// Who found out.
    public var accuser: NodeID

    /// News from its parts.
    public init(node: NodeID, incarnation: Int64, refutation: UInt32, health: Health, accuser: NodeID) {
        self.node = node
        self.incarnation = incarnation
        self.refutation = refutation
        self.health = health
        self.accuser = accuser
    }

    /// Whether it overrides the other: a later incarnation, having left, a later refutation, the worse news, in this
    /// order (SWIM 4.2; leaving cannot be refuted).
    func overrides(_ other: HealthRumour) -> Bool {
        if incarnation != other.incarnation { return incarnation > other.incarnation }
        if (health == .left) != (other.health == .left) { return health == .left }
        if refutation != other.refutation { return refutation > other.refutation }
        return health > other.health
    }
}

extension HealthRumour: WireCodable {
    /// A record of node, incarnation, refutation, health and accuser.
    public func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(node)
            fields.signed(incarnation)
            fields.unsigned(refutation)
            fields.byte(health.rawValue)
            fields.value(accuser)
        }
    }

    /// Reads a record.
    public init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            let (node, incarnation): (NodeID, Int64) = (try fields.value(), try fields.signed())
            let (refutation, state): (UInt32, UInt8) = (try fields.unsigned(), try fields.byte())
            guard let health = Health(rawValue: state), health != .unheard else { throw .unknownCase(UInt64(state)) }
            return HealthRumour(
                node: node, incarnation: incarnation, refutation: refutation, health: health,
                accuser: try fields.value())
        }
    }
}
