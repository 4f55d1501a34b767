import FluxCluster
import FluxCore

/// Which messages arrive, and when: delays, losses and cuts between nodes, in each direction by itself.
///
/// What one node sends to another arrives in that order, as on a TCP connection. A cut swallows what is sent; the links'
/// ends notice it only by silence.
public struct SimulatedNetwork: Sendable {
    /// One direction between two nodes.
    public struct Direction: Hashable, Sendable {
        /// The sender.
        public var source: NodeID
        /// The receiver.
        public var target: NodeID

        /// From one node to another.
        public init(from source: NodeID, to target: NodeID) {
            self.source = source
            self.target = target
        }
    }

    /// How long a message takes, at least and at most.
    public var delay: ClosedRange<Duration> = .microseconds(100) ... .milliseconds(2)
    /// The share of messages that get lost: 0 to 1.
    public var loss = 0.0

    /// How many faults keep messages from going in a direction.
    private var cuts: [Direction: Int] = [:]
    /// When the last message arrives, by source and target.
    private var latest: [[Duration]] = []

    /// A network in which everything arrives soon.
    public init() {}

    /// Whether messages in this direction are swallowed.
    public func isCut(from source: NodeID, to target: NodeID) -> Bool {
        cuts[Direction(from: source, to: target)] != nil
    }

    /// Swallows everything in this direction.
    public mutating func cut(from source: NodeID, to target: NodeID) {
        cuts[Direction(from: source, to: target), default: 0] += 1
    }

    /// Ends one cut of this direction; messages go again when no other one lasts.
    public mutating func mend(from source: NodeID, to target: NodeID) {
        let direction = Direction(from: source, to: target)
        guard let count = cuts[direction] else { return }
        cuts[direction] = count > 1 ? count - 1 : nil
    }

    /// Cuts every direction between the two groups.
    public mutating func cut(between group: [NodeID], and others: [NodeID]) {
        for (one, other) in Self.pairs(group, others) {
            cut(from: one, to: other)
            cut(from: other, to: one)
        }
    }

    /// Ends one cut of every direction between the two groups.
    public mutating func mend(between group: [NodeID], and others: [NodeID]) {
        for (one, other) in Self.pairs(group, others) {
            mend(from: one, to: other)
            mend(from: other, to: one)
        }
    }

    /// Ends all cuts.
    public mutating func heal() { cuts = [:] }

    private static func pairs(_ group: [NodeID], _ others: [NodeID]) -> [(NodeID, NodeID)] {
        group.flatMap { node in others.lazy.filter { $0 != node }.map { (node, $0) } }
    }

    /// When a message that is sent now arrives; nil when it does not.
    public mutating func arrival(
        from source: NodeID, to target: NodeID, at now: Duration, using random: inout SplitMix64
    ) -> Duration? {
        guard cuts.isEmpty || !isCut(from: source, to: target),
            loss == 0 || Double.random(in: 0..<1, using: &random) >= loss
        else {
            return nil
        }
        let spread = (delay.upperBound - delay.lowerBound) * Double.random(in: 0...1, using: &random)
        let (row, column) = (Int(source.rawValue), Int(target.rawValue))
        while latest.count <= row { latest.append([]) }
        while latest[row].count <= column { latest[row].append(.zero) }
        let arrival = max(now + delay.lowerBound + spread, latest[row][column])
        latest[row][column] = arrival
        return arrival
    }
}
