/// Why a node does not take a connection, or ends one. It is sent to the peer before the connection is closed.
public enum LinkRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// What came is not the protocol of Flux.
    case notFlux
    /// A frame breaks the protocol; the text names how.
    case malformed(String)
    /// No version is spoken by both; the refusing node speaks these.
    case version(WireVersionRange)
    /// The refusing node belongs to another cluster.
    case wrongCluster
    /// The node that was asked for is not the one that answers at this address.
    case wrongNode
    /// The peer showed no certificate.
    case certificateMissing
    /// The peer's certificate is not one of a member (any more).
    case certificateRefused
    /// The peer's certificate is one of another node than it says to be.
    case certificateMismatch
    /// There is a link already, or one is being made.
    case duplicate
    /// A later start of the same node is linked.
    case staleIncarnation
    /// The bulk connection names a link that is not waiting for it.
    case noSuchLink
    /// A newer link takes the place of this one.
    case replaced
    /// The other connection of the link ended.
    case otherLaneEnded
    /// Too many connections wait for their handshake.
    case overloaded
    /// The handshake took too long.
    case timedOut
    /// Nothing was heard from the peer for too long.
    case silent
    /// More was sent than there was credit for.
    case creditOverdrawn
    /// The node stops, or the peer is no member any more.
    case stopping
    /// The security of the connection could not be set up.
    case insecure
    /// So much waits for the peer that an answer found no room.
    case congested
    /// A newer node's reason, by its number.
    case other(UInt8)

    /// A text for the log of the node that refuses, or that is refused.
    public var description: String {
        switch self {
        case .notFlux: "not the cluster protocol of Flux"
        case .malformed(let how): "protocol violation: \(how)"
        case .version(let range): "no common wire version: \(range) needed"
        case .wrongCluster: "another cluster"
        case .wrongNode: "another node lives at this address"
        case .certificateMissing: "a certificate is needed"
        case .certificateRefused: "the certificate is not one of a member"
        case .certificateMismatch: "the certificate is one of another node"
        case .duplicate: "linked already"
        case .staleIncarnation: "a later start of this node is linked"
        case .noSuchLink: "no link waits for this connection"
        case .replaced: "replaced by a newer link"
        case .otherLaneEnded: "the other connection of the link ended"
        case .overloaded: "too many connections wait for their handshake"
        case .timedOut: "the handshake took too long"
        case .silent: "nothing was heard for too long"
        case .creditOverdrawn: "more was sent than there was credit for"
        case .stopping: "the node stops or the peer is no member"
        case .insecure: "TLS could not be set up"
        case .congested: "too much waits for the peer"
        case .other(let number): "reason \(number) of a newer version"
        }
    }

    /// The reason in one word, for metrics.
    var label: String {
        switch self {
        case .notFlux: "not_flux"
        case .malformed: "malformed"
        case .version: "version"
        case .wrongCluster: "wrong_cluster"
        case .wrongNode: "wrong_node"
        case .certificateMissing: "certificate_missing"
        case .certificateRefused: "certificate_refused"
        case .certificateMismatch: "certificate_mismatch"
        case .duplicate: "duplicate"
        case .staleIncarnation: "stale_incarnation"
        case .noSuchLink: "no_such_link"
        case .replaced: "replaced"
        case .otherLaneEnded: "other_lane_ended"
        case .overloaded: "overloaded"
        case .timedOut: "timed_out"
        case .silent: "silent"
        case .creditOverdrawn: "credit_overdrawn"
        case .stopping: "stopping"
        case .insecure: "insecure"
        case .congested: "congested"
        case .other: "other"
        }
    }
}

extension LinkRefusal: WireCodable {
    /// A number, and what belongs to it in a record, which an older node skips.
    public func encode(to writer: inout WireWriter) {
        writer.byte(number)
        writer.record { fields in
            switch self {
            case .malformed(let how): fields.string(how)
            case .version(let range): fields.value(range)
            default: break
            }
        }
    }

    /// Reads a reason; one that this build does not know is `other`.
    public init(from reader: inout WireReader) throws(WireError) {
        let number = try reader.byte()
        self = try reader.record { fields throws(WireError) in
            switch number {
            case 1: .notFlux
            case 2: .malformed(try fields.string())
            case 3: .version(try fields.value())
            case 4: .wrongCluster
            case 5: .wrongNode
            case 6: .certificateMissing
            case 7: .certificateRefused
            case 8: .certificateMismatch
            case 9: .duplicate
            case 10: .staleIncarnation
            case 11: .noSuchLink
            case 12: .replaced
            case 13: .otherLaneEnded
            case 14: .overloaded
            case 15: .timedOut
            case 16: .silent
            case 17: .creditOverdrawn
            case 18: .stopping
            case 19: .insecure
            case 20: .congested
            default: .other(number)
            }
        }
    }

    private var number: UInt8 {
        switch self {
        case .notFlux: 1
        case .malformed: 2
        case .version: 3
        case .wrongCluster: 4
        case .wrongNode: 5
        case .certificateMissing: 6
        case .certificateRefused: 7
        case .certificateMismatch: 8
        case .duplicate: 9
        case .staleIncarnation: 10
        case .noSuchLink: 11
        case .replaced: 12
        case .otherLaneEnded: 13
        case .overloaded: 14
        case .timedOut: 15
        case .silent: 16
        case .creditOverdrawn: 17
        case .stopping: 18
        case .insecure: 19
        case .congested: 20
        case .other(let number): number
        }
    }
}
