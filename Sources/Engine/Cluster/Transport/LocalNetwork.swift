import NIOConcurrencyHelpers

/// A network inside one process: each `LocalTransport` attached to it is a node.
///
/// A node that runs alone has one with nobody else on it. Several systems on one network are a cluster in one process, over
/// the same frames that the real transport carries.
public final class LocalNetwork: Sendable {
    private struct State {
        var systems: [NodeID: ClusterActorSystem] = [:]
        var cutLinks: Set<Link> = []
        var silentLinks: Set<Link> = []
    }

    private struct Link: Hashable {
        let source: NodeID
        let target: NodeID
    }

    private let state = NIOLockedValueBox(State())

    /// A network without nodes.
    public init() {}

    /// A node's way into this network.
    public func transport(of node: NodeID, dialect: WireDialect = .own) -> LocalTransport {
        LocalTransport(node: node, dialect: dialect, network: self)
    }

    /// Breaks the link between two nodes, in both directions, and tells both.
    public func cut(_ first: NodeID, _ second: NodeID) {
        let ends = state.withLockedValue { state in
            state.cutLinks.formUnion([Link(source: first, target: second), Link(source: second, target: first)])
            return (state.systems[first], state.systems[second])
        }
        ends.0?.linkLost(to: second)
        ends.1?.linkLost(to: first)
    }

    /// Loses what one node sends to another, which neither is told.
    public func drop(from source: NodeID, to target: NodeID) {
        state.withLockedValue { state in _ = state.silentLinks.insert(Link(source: source, target: target)) }
    }

    /// Makes the link between two nodes again, and tells both.
    public func heal(_ first: NodeID, _ second: NodeID) {
        let ends = state.withLockedValue { state in
            state.silentLinks.subtract([Link(source: first, target: second), Link(source: second, target: first)])
            state.cutLinks.subtract([Link(source: first, target: second), Link(source: second, target: first)])
            return (state.systems[first], state.systems[second])
        }
        ends.0?.linkMade(to: second)
        ends.1?.linkMade(to: first)
    }

    func attach(_ system: ClusterActorSystem, as node: NodeID) {
        state.withLockedValue { $0.systems[node] = system }
    }

    func detach(_ node: NodeID) {
        state.withLockedValue { $0.systems[node] = nil }
    }

    func isSilent(from source: NodeID, to target: NodeID) -> Bool {
        state.withLockedValue { $0.silentLinks.contains(Link(source: source, target: target)) }
    }

    func system(at target: NodeID, from source: NodeID) -> ClusterActorSystem? {
        state.withLockedValue { state in
            state.cutLinks.contains(Link(source: source, target: target)) ? nil : state.systems[target]
        }
    }
}

/// One node's end of a `LocalNetwork`.
public struct LocalTransport: Transport {
    /// How this node writes, and what it reads.
    public let dialect: WireDialect
    private let node: NodeID
    private let network: LocalNetwork

    init(node: NodeID, dialect: WireDialect, network: LocalNetwork) {
        self.node = node
        self.dialect = dialect
        self.network = network
    }

    /// Hands the frame to the other system at once.
    public func send(_ frame: [UInt8], over lane: TransportLane, to target: NodeID) -> TransportOutcome {
        guard let system = network.system(at: target, from: node) else { return .unlinked }
        guard !network.isSilent(from: node, to: target) else { return .accepted }
        do throws(WireError) {
            try system.receive(frame, from: node)
        } catch {
            network.cut(node, target)
        }
        return .accepted
    }

    /// Breaks the link until the network makes it again.
    public func breakLink(to target: NodeID) {
        network.cut(node, target)
    }

    /// The newest version that both speak, for nodes that are there.
    public func version(of target: NodeID) -> WireVersion? {
        network.system(at: target, from: node)?.transport.dialect.versions.agreed(with: dialect.versions)
    }

    /// This build's own, for nodes that are there.
    public func features(of target: NodeID) -> LinkFeatures? {
        network.system(at: target, from: node) == nil ? nil : .own
    }

    /// Joins the network.
    public func attach(_ system: ClusterActorSystem) {
        network.attach(system, as: node)
    }
}
