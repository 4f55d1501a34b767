import FluxCluster

/// Who has not confirmed yet that it has read all that a node said of sessions before it leaves. A value without I/O.
package struct PendingHearings {
    /// Names the question; an answer to an earlier one means nothing.
    private var ticket: UInt64 = 0
    private var awaited: Set<NodeID> = []

    package init() {}

    package var areAllHeard: Bool { awaited.isEmpty }

    /// These were asked. - Parameter ticket: names the question.
    package mutating func ask(_ nodes: Set<NodeID>, ticket: UInt64) {
        self.ticket = ticket
        awaited = nodes
    }

    package mutating func heard(_ ticket: UInt64, by node: NodeID) {
        if ticket == self.ticket { awaited.remove(node) }
    }

    /// What was said to this node and not read is lost.
    package mutating func linkLost(to node: NodeID) { awaited.remove(node) }
}
