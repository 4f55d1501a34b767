/// A piece of news about a member, as it travels between nodes.
public enum Rumour: Hashable, Sendable {
    /// How the member is held to be.
    case health(HealthRumour)
    /// What the member says about itself.
    case report(NodeReport)

    /// Whom it is about.
    var subject: NodeID {
        switch self {
        case .health(let rumour): rumour.node
        case .report(let report): report.node
        }
    }
}

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

/// What a member says about itself.
public struct NodeReport: Hashable, Sendable {
    /// Who says it.
    public var node: NodeID
    /// Which of its incarnations.
    public var incarnation: Int64
    /// Grows with each report of the incarnation.
    public var number: UInt64
    /// Its clients are served and it may own slots.
    public var isReady: Bool
    /// It gives its slots away.
    public var isDraining: Bool
    /// Its statements reach Postgres.
    public var hasDatabase: Bool
    /// To whom it has a link that works, in growing order.
    public var links: [NodeID]

    /// A report from its parts.
    public init(
        node: NodeID, incarnation: Int64, number: UInt64 = 0, isReady: Bool = false, isDraining: Bool = false,
        hasDatabase: Bool = false, links: [NodeID] = []
    ) {
        self.node = node
        self.incarnation = incarnation
        self.number = number
        self.isReady = isReady
        self.isDraining = isDraining
        self.hasDatabase = hasDatabase
        self.links = links
    }

    /// Whether it was made after the other.
    func isNewer(than other: NodeReport) -> Bool {
        (incarnation, number) > (other.incarnation, other.number)
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

extension NodeReport: WireCodable {
    /// A record of node, incarnation, number, a byte of flags, and links.
    public func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(node)
            fields.signed(incarnation)
            fields.unsigned(number)
            fields.byte((isReady ? 1 : 0) | (isDraining ? 2 : 0) | (hasDatabase ? 4 : 0))
            fields.list(links)
        }
    }

    /// Reads a record; flags that this version does not know are passed over.
    public init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            let (node, incarnation): (NodeID, Int64) = (try fields.value(), try fields.signed())
            let (number, flags): (UInt64, UInt8) = (try fields.unsigned(), try fields.byte())
            let links: [NodeID] = try fields.list()
            guard links.count < NodeID.count else { throw .limitExceeded("links") }
            return NodeReport(
                node: node, incarnation: incarnation, number: number, isReady: flags & 1 != 0,
                isDraining: flags & 2 != 0, hasDatabase: flags & 4 != 0, links: links)
        }
    }
}

/// A rumour in a message, or nothing where a newer node sent a kind that this one does not know: news is passed over, the
/// message is not.
struct RumourOnWire: WireCodable {
    let rumour: Rumour?

    init(_ rumour: Rumour) { self.rumour = rumour }

    func encode(to writer: inout WireWriter) {
        writer.record { fields in
            switch rumour {
            case .health(let rumour):
                fields.byte(1)
                fields.value(rumour)
            case .report(let report):
                fields.byte(2)
                fields.value(report)
            case nil:
                fields.byte(0)
            }
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        rumour = try reader.record { fields throws(WireError) in
            do throws(WireError) {
                switch try fields.byte() {
                case 1: return .health(try fields.value())
                case 2: return .report(try fields.value())
                default: return nil
                }
            } catch .unknownCase {
                return nil
            }
        }
    }
}
