import FluxSecurity

/// Why a node is not let in.
public enum JoinRefusal: Error, Hashable, Sendable, WireCodable, CustomStringConvertible {
    /// Kind of its frame.
    static let frameKind: UInt8 = 18

    /// The request cannot be read, or its key does not fit.
    case malformed
    /// No wire version is spoken by both; the cluster's node speaks these.
    case version(WireVersionRange)
    /// The token is for another cluster.
    case wrongCluster
    /// No such token was ever made, or it was revoked.
    case wrongToken
    /// The token was used.
    case usedToken
    /// The token is too old.
    case expiredToken
    /// A member has this name.
    case nameTaken
    /// No node may have this name.
    case badName
    /// All numbers of nodes are given out.
    case full
    /// The node that was asked cannot decide now; another may, or it may later. The text says why.
    case unavailable(String)
    /// The node that was asked takes no joins: it was not set up for it, or its links are not secured.
    case notAccepting
    /// A newer node's reason, by its number.
    case other(UInt8)

    /// What to tell the operator.
    public var description: String {
        switch self {
        case .malformed: "the join request cannot be read"
        case .version(let range): "no common wire version: the cluster speaks \(range)"
        case .wrongCluster: "the token is for another cluster"
        case .wrongToken: "the cluster knows no such token; make one with `flux node token create`"
        case .usedToken: "the token was used; make another one with `flux node token create`"
        case .expiredToken: "the token has expired; make another one with `flux node token create`"
        case .nameTaken: "a node of the cluster has this name"
        case .badName: "a node's name has 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit"
        case .full: "the cluster has no number left for another node"
        case .unavailable(let why): "the cluster cannot let a node in now: \(why)"
        case .notAccepting: "the node that was asked takes no joins"
        case .other(let number): "refused for reason \(number) of a newer version"
        }
    }

    /// Which versions each side needs, and which one has to change.
    static func noCommonVersion(cluster: WireVersionRange, newcomer: WireVersionRange) -> String {
        "no common wire version: the cluster speaks \(cluster), the node that joins speaks \(newcomer); "
            + (newcomer.current < cluster.current
                ? "join with a newer build" : "join with an older build, and upgrade the cluster one version at a time")
    }

    /// A number, and what belongs to it in a record.
    public func encode(to writer: inout WireWriter) {
        writer.byte(number)
        writer.record { fields in
            switch self {
            case .version(let range): fields.value(range)
            case .unavailable(let why): fields.string(why)
            default: break
            }
        }
    }

    /// Reads a reason; one that this build does not know is `other`.
    public init(from reader: inout WireReader) throws(WireError) {
        let number = try reader.byte()
        self = try reader.record { fields throws(WireError) in
            switch number {
            case 1: .malformed
            case 2: .version(try fields.value())
            case 3: .wrongCluster
            case 4: .wrongToken
            case 5: .usedToken
            case 6: .expiredToken
            case 7: .nameTaken
            case 8: .badName
            case 9: .full
            case 10: .unavailable(try fields.string())
            case 11: .notAccepting
            default: .other(number)
            }
        }
    }

    private var number: UInt8 {
        switch self {
        case .malformed: 1
        case .version: 2
        case .wrongCluster: 3
        case .wrongToken: 4
        case .usedToken: 5
        case .expiredToken: 6
        case .nameTaken: 7
        case .badName: 8
        case .full: 9
        case .unavailable: 10
        case .notAccepting: 11
        case .other(let number): number
        }
    }
}
