import FluxSecurity

/// The first frame of a connection, from the dialler.
struct LinkHello: WireCodable, Equatable {
    /// The versions that the dialler speaks.
    var versions: WireVersionRange
    /// The cluster it belongs to.
    var cluster: ClusterID
    /// Who it is.
    var identity: NodeIdentity
    /// The node it wants to reach.
    var target: NodeID
    /// What the connection is to be.
    var lane: TransportLane
    /// For the bulk connection: the link that the control connection began, as the acceptor named it.
    var link: UInt64?
    /// How many bytes of data frames it takes before it gives credit.
    var window: UInt64
    /// The features that its build has.
    var features: LinkFeatures = []

    func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(versions)
            fields.value(cluster)
            fields.value(identity)
            fields.value(target)
            fields.byte(lane.number)
            fields.optional(link)
            fields.unsigned(window)
            fields.value(features)
        }
    }
}

extension LinkHello {
    init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            LinkHello(
                versions: try fields.value(), cluster: try fields.value(), identity: try fields.value(),
                target: try fields.value(), lane: try TransportLane(from: &fields), link: try fields.optional(),
                window: try fields.unsigned(), features: try fields.value())
        }
    }
}

/// The acceptor's answer.
struct LinkWelcome: WireCodable, Equatable {
    /// The version that both speak from now on.
    var version: WireVersion
    /// Who the acceptor is.
    var identity: NodeIdentity
    /// The acceptor's name for the link, which the bulk connection's hello carries.
    var link: UInt64
    /// How many bytes of data frames it takes before it gives credit.
    var window: UInt64
    /// Those of the dialler's features that the acceptor has, too.
    var features: LinkFeatures = []

    func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.byte(version.rawValue)
            fields.value(identity)
            fields.unsigned(link)
            fields.unsigned(window)
            fields.value(features)
        }
    }
}

extension LinkWelcome {
    init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            LinkWelcome(
                version: WireVersion(rawValue: try fields.byte()), identity: try fields.value(),
                link: try fields.unsigned(), window: try fields.unsigned(), features: try fields.value())
        }
    }
}

extension WireVersionRange: WireCodable {
    /// Two bytes, the oldest first.
    public func encode(to writer: inout WireWriter) {
        writer.byte(oldest.rawValue)
        writer.byte(current.rawValue)
    }

    /// Reads two bytes.
    public init(from reader: inout WireReader) throws(WireError) {
        let oldest = WireVersion(rawValue: try reader.byte())
        let current = WireVersion(rawValue: try reader.byte())
        guard oldest <= current else { throw .malformed("versions in the wrong order") }
        self.init(oldest: oldest, current: current)
    }
}

extension ClusterID: WireCodable {
    /// Its 16 bytes behind their number.
    public func encode(to writer: inout WireWriter) { writer.byteArray(bytes) }

    /// Reads 16 bytes.
    public init(from reader: inout WireReader) throws(WireError) {
        guard let cluster = ClusterID(bytes: try reader.byteArray()) else { throw .malformed("cluster id") }
        self = cluster
    }
}

extension TransportLane {
    /// Its number in the handshake.
    var number: UInt8 {
        switch self {
        case .control: 1
        case .bulk: 2
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .control
        case 2: self = .bulk
        case let other: throw .unknownCase(UInt64(other))
        }
    }
}
