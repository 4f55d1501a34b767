import FluxCluster
import FluxCore

/// Asks nodes, after a link to them was lost, which of the sessions that User actors here know of are still there, so that nobody is
/// shown online by a session whose node died, was started again, or could not say that it had ended. Confined to its loop.
///
/// A node that cannot be asked is doubted until it can, or is held to be over: then its sessions are, too.
final class RollCall {
    /// Sessions of one frame.
    static let pageSize = 4_096

    private unowned let loop: EngineLoop
    private var doubted: Set<NodeID> = []

    init(loop: EngineLoop) { self.loop = loop }

    /// What is known of sessions on a node may be wrong.
    func doubt(_ node: NodeID) { doubted.insert(node) }

    /// Once a second.
    func sweep() {
        for node in doubted {
            let entries = loop.userActors.values.flatMap { $0.assumeIsolated { $0.sessions(on: node) } }
            if node == loop.services.system.identity.id {
                doubted.remove(node)
                missing(loop.services.rollCalls.missing(of: entries), on: node)
            } else if ask(node, for: entries) {
                doubted.remove(node)
            } else if loop.services.isOver(node) {
                doubted.remove(node)
                entries.forEach(end)
            }
        }
    }

    /// - Returns: whether all was sent.
    private func ask(_ node: NodeID, for entries: [RollCallEntry]) -> Bool {
        var rest = entries[...]
        while !rest.isEmpty {
            let page = Array(rest.prefix(Self.pageSize))
            guard loop.services.rollCalls.ask(node, for: page, from: loop.index) else { return false }
            rest = rest.dropFirst(page.count)
        }
        return true
    }

    /// A node does not have these.
    func missing(_ entries: [RollCallEntry], on node: NodeID) {
        for entry in entries where entry.node == node { end(entry) }
    }

    private func end(_ entry: RollCallEntry) {
        loop.userActors[entry.userID]?.assumeIsolated { $0.sessionIsGone(entry.session, from: entry.node) }
    }
}
