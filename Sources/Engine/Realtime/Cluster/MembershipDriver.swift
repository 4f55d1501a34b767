import FluxCluster
import FluxCore
import Logging

/// Performs what `Membership` decides: probes and gossip over the links, reads of the rows, links made anew.
///
/// `@unchecked Sendable` is sound because only the cluster's loop touches it, which each function asserts through the runner.
final class MembershipDriver: @unchecked Sendable {
    /// How it reaches what lies outside.
    struct Ways {
        /// Sends; dropped without a link.
        var send: (MembershipMessage, NodeID) -> Void
        /// What this node believes of the cluster is new.
        var viewChanged: (MembershipView) -> Void
        /// The rows of the members are wanted before their time.
        var readMembers: () -> Void
        /// The link is to be broken and made anew.
        var remakeLink: (NodeID) -> Void
        /// A later incarnation of this node runs.
        var superseded: () -> Void
    }

    private let runner: MachineRunner<Membership>
    private let ways: Ways
    private let logger: Logger
    private var told: MembershipView

    init(identity: NodeIdentity, loop: ClusterLoop, seed: UInt64, ways: Ways, logger: Logger) {
        self.ways = ways
        self.logger = logger
        runner = MachineRunner(Membership(identity: identity, seed: seed, at: loop.now), on: loop)
        told = runner.machine.view
        runner.perform = { [unowned self] in perform($0) }
        runner.afterEvent = { [unowned self] in tellView() }
    }

    /// What this node believes.
    var view: MembershipView { told }

    /// Begins to probe.
    func start() { happen { $0.advance(to: $1) } }

    /// These are the rows of all members.
    func learned(_ members: [ClusterMember]) { happen { $0.learned(members, at: $1) } }

    /// A message came from the node.
    func received(_ message: MembershipMessage, from node: NodeID) {
        happen { $0.received(message, from: node, at: $1) }
    }

    /// What the links tell.
    func heard(_ event: LinkEvent) {
        switch event {
        case .up(let peer, _): happen { $0.linkMade(to: peer, at: $1) }
        case .lost(let peer): happen { $0.linkLost(to: peer.id, at: $1) }
        case .notListening(let node): happen { $0.linkRefused(by: node, at: $1) }
        case .refusedByPeer, .refusedPeer, .unreachable: break
        }
    }

    /// What this node says of itself.
    func report(isReady: Bool, isDraining: Bool, hasDatabase: Bool) {
        happen { $0.report(isReady: isReady, isDraining: isDraining, hasDatabase: hasDatabase, at: $1) }
    }

    /// Tells everybody that this node leaves; it says nothing more.
    func leave() {
        happen { $0.leave(at: $1) }
        stop()
    }

    /// Nothing happens any more.
    func stop() { runner.stop() }

    private func happen(_ event: @escaping MachineRunner<Membership>.Event) { runner.happen(event) }

    private func tellView() {
        let view = runner.machine.view
        guard view != told else { return }
        told = view
        ways.viewChanged(view)
    }

    private func perform(_ action: Membership.Action) {
        switch action {
        case .send(let message, let node): ways.send(message, node)
        case .remakeLink(let node): ways.remakeLink(node)
        case .readMembers: ways.readMembers()
        case .superseded: ways.superseded()
        case .changed(let change):
            logger.log(
                level: change.health == .dead ? .warning : .info, "a member is held to be otherwise",
                metadata: [
                    "name": "\(change.identity.name)", "node": "\(change.identity.id)", "was": "\(change.before)",
                    "is": "\(change.health)",
                ])
        // It shows in the view.
        case .reported: break
        }
    }
}
