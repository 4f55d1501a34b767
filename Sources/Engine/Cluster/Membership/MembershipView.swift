/// What one node believes of the cluster at one moment.
public struct MembershipView: Hashable, Sendable {
    /// One member.
    public struct Entry: Hashable, Sendable {
        /// Its row, with the latest incarnation that is known.
        public var member: ClusterMember
        /// How it is held to be.
        public var health: Health
        /// What it last said about itself, if that was of this incarnation.
        public var report: NodeReport?
        /// This node has a link to it that works.
        public var isLinked: Bool

        /// An entry from its parts.
        public init(member: ClusterMember, health: Health, report: NodeReport? = nil, isLinked: Bool = false) {
            self.member = member
            self.health = health
            self.report = report
            self.isLinked = isLinked
        }

        /// Whether it lives and is not about to leave.
        public var stays: Bool {
            health.isLiving && member.standing == .active && report?.isDraining != true
        }

        /// Whether it may own slots now: stays, and has said that it is ready.
        public var mayOwn: Bool { stays && report?.isReady == true }
    }

    /// Whose view it is.
    public var node: NodeID
    /// All members, with that node.
    public var members: [NodeID: Entry]

    /// A view from its parts.
    public init(node: NodeID, members: [NodeID: Entry]) {
        self.node = node
        self.members = members
    }

    /// Those that live, in growing order, with the node itself.
    public var living: [NodeID] {
        members.filter(\.value.health.isLiving).keys.sorted()
    }

    /// The others that stay, in growing order: who may take what the node itself has, now or when they are ready.
    public var successors: [NodeID] {
        members.filter { $0.key != node && $0.value.stays }.keys.sorted()
    }

    /// How many of the living the node has a working link to, as it says itself (or this node knows of itself).
    public func linkCount(of node: NodeID) -> Int? {
        let others = living.filter { $0 != node }
        if node == self.node { return others.count { members[$0]?.isLinked == true } }
        guard let report = members[node]?.report else { return nil }
        return others.count { report.links.contains($0) }
    }

    /// Whether the two have a link, as far as either of them says so. A link counts when both ends have it.
    public func areLinked(_ first: NodeID, _ second: NodeID) -> Bool {
        hasLink(first, to: second) && hasLink(second, to: first)
    }

    private func hasLink(_ node: NodeID, to other: NodeID) -> Bool {
        if node == self.node { return members[other]?.isLinked == true }
        // Nothing was heard of its links: nothing speaks against this one.
        return members[node]?.report?.links.contains(other) ?? true
    }
}
