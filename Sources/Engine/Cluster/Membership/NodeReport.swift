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
