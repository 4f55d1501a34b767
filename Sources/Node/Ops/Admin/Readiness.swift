import FluxCore
import NIOConcurrencyHelpers

/// Whether the node should get traffic, and if not, why.
public final class Readiness: Sendable {
    /// Why a node is not ready. The raw value is what scripts see.
    public enum Reason: String, Sendable, CaseIterable, Comparable {
        /// It has not served yet.
        case starting
        /// It is being stopped, or gives what it has to others.
        case draining
        /// Postgres has not answered for a while: nothing can be acknowledged.
        case postgres
        /// Its clock differs from Postgres's by more than a second.
        case clock

        /// The node reaches at most half of the others.
        case minority
        /// It has no link to a node that has slots.
        case links

        /// A sentence for people.
        public var text: String {
            switch self {
            case .starting: "the node is starting"
            case .draining: "the node is stopping or drained"
            case .postgres: "Postgres does not answer"
            case .minority: "the node reaches at most half of the cluster"
            case .links: "the node has no direct link to another node of the cluster"
            case .clock: "the clock is more than a second off Postgres's"
            }
        }

        public static func < (left: Self, right: Self) -> Bool {
            left.rawValue < right.rawValue
        }
    }

    private let reasons = NIOLockedValueBox<Set<Reason>>([.starting])
    /// The nodes without a link.
    private let unlinked = NIOLockedValueBox<Set<UInt16>>([])

    /// Not ready: starting.
    public init() {}

    /// Whether nothing stands against traffic.
    public var isReady: Bool {
        reasons.withLockedValue(\.isEmpty)
    }

    /// Raises or clears a reason. Returns whether that changed anything.
    @discardableResult
    public func set(_ reason: Reason, _ applies: Bool) -> Bool {
        reasons.withLockedValue { reasons in
            applies ? reasons.insert(reason).inserted : reasons.remove(reason) != nil
        }
    }

    /// A node to which there must be a link and is none, or there is one again.
    func setUnlinked(_ node: UInt16, _ applies: Bool) {
        unlinked.withLockedValue { nodes in
            if applies { nodes.insert(node) } else { nodes.remove(node) }
            set(.links, !nodes.isEmpty)
        }
    }

    /// What stands against traffic, in a fixed order.
    var current: [Reason] { reasons.withLockedValue { $0.sorted() } }

    /// `{"ready": …, "reasons": [{"code": …, "message": …}]}`
    public func encoded() -> [UInt8] {
        let reasons = current
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("ready")
        writer.bool(reasons.isEmpty)
        writer.key("reasons")
        writer.beginArray()
        for reason in reasons {
            writer.beginObject()
            writer.key("code")
            writer.string(reason.rawValue)
            writer.key("message")
            writer.string(reason.text)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}
