import FluxCluster
import FluxCore

/// The cluster as one node sees it at one moment, for operators.
public struct ClusterStatus: Sendable {
    /// One member.
    public struct Member: Sendable {
        /// Its row, with the latest incarnation that is known.
        public var member: ClusterMember
        /// How it is held to be.
        public var health: Health
        /// Whether it says that it is ready; nil when it has said nothing of itself.
        public var isReady: Bool?
        /// Whether it says that Postgres answers it; nil when it has said nothing of itself.
        public var hasDatabase: Bool?
        /// Whether the asked node has a link to it that works; true for itself.
        public var isLinked: Bool
        /// How many slots it owns, as far as the asked node has heard.
        public var slots: Int
    }

    /// The node that was asked.
    public var node: NodeID
    /// Why that node is not ready; empty when it is.
    public var unreadyReasons: Set<UnreadyReason>
    /// All members, by number.
    public var members: [Member]

    /// How many slots nobody is known to own.
    public var unownedSlots: Int { Slot.count - members.reduce(0) { $0 + $1.slots } }
}

extension ClusterStatus {
    init(_ view: MembershipView, reasons: Set<UnreadyReason>, slots: [NodeID: Int]) {
        node = view.node
        unreadyReasons = reasons
        members = view.members.sorted { $0.key < $1.key }.map { node, entry in
            Member(
                member: entry.member, health: entry.health, isReady: entry.report?.isReady,
                hasDatabase: entry.report?.hasDatabase, isLinked: entry.isLinked, slots: slots[node] ?? 0)
        }
    }
}
