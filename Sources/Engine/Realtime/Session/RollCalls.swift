import FluxCluster
import FluxCore
import Logging

/// Carries roll calls between nodes, and answers those of others. Safe from every thread; what is asked, and what follows from the
/// answers, stands in each loop's `RollCall`.
final class RollCalls: Sendable {
    /// What the frames carry. A number never changes its meaning.
    enum Frame {
        static let question: ClusterEvent = 21
        static let answer: ClusterEvent = 22
    }

    private let system: ClusterActorSystem
    private let mesh: LoopMesh
    private let sessions: SessionDirectory
    private let logger: Logger

    init(system: ClusterActorSystem, mesh: LoopMesh, sessions: SessionDirectory, logger: Logger) {
        self.system = system
        self.mesh = mesh
        self.sessions = sessions
        self.logger = logger
    }

    /// Begins to take in frames. Before the system starts.
    func register() {
        system.register(event: Frame.question) { [self] peer, reader in
            guard let call = read(&reader, from: peer) else { return }
            let missing = missing(of: call.entries)
            if !missing.isEmpty { send(Frame.answer, missing, from: call.loop, to: peer) }
        }
        system.register(event: Frame.answer) { [self] peer, reader in
            guard let call = read(&reader, from: peer), call.loop < mesh.count else { return }
            mesh.run(on: call.loop) { $0.rollCall.missing(call.entries, on: peer) }
        }
        system.registerLinkObserver { [mesh] peer in
            for loop in 0..<mesh.count { mesh.run(on: loop) { $0.rollCall.doubt(peer) } }
        }
    }

    /// Asks a node for sessions. - Returns: false if it could not be sent.
    func ask(_ node: NodeID, for entries: [RollCallEntry], from loop: Int) -> Bool {
        send(Frame.question, entries, from: loop, to: node)
    }

    /// Those that this node does not have. What has left says where it is by itself.
    func missing(of entries: [RollCallEntry]) -> [RollCallEntry] {
        entries.filter { sessions.loop(of: $0.session) == nil && sessions.departure(of: $0.session) == nil }
    }

    @discardableResult
    private func send(_ frame: ClusterEvent, _ entries: [RollCallEntry], from loop: Int, to node: NodeID) -> Bool {
        system.send(event: frame, to: node) { writer in
            writer.unsigned(UInt(loop))
            writer.list(entries)
        }
    }

    private func read(_ reader: inout WireReader, from peer: NodeID) -> (loop: Int, entries: [RollCallEntry])? {
        do throws(WireError) {
            let loop = try reader.unsigned(UInt8.self)
            return (Int(loop), try reader.list())
        } catch {
            logger.error("a roll call of node \(peer) cannot be read: \(error)")
            return nil
        }
    }
}
