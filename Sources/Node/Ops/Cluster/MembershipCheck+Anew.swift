import FluxCluster
import FluxCore
import FluxSecurity
import FluxStore
import Logging
import NIOConcurrencyHelpers

/// A new cluster in the place of one that is over: its nodes, or what they were, are gone, or this is a copy of it.
extension MembershipCheck {
    /// Makes this node the first of a new cluster, whatever the database and the data directory held before. What `known`, the data
    /// directory's node, was is kept beside it.
    ///
    /// After an interruption the old cluster stands, or the new one: then the same again goes on with it.
    func beginAnew(_ known: MemberIdentity?) async throws(CommandFailure) -> MemberIdentity {
        try await explained {
            guard let owner = try await store.cluster() else {
                if let known, known.stage == .founding { return try await establish(known) }
                if let known { try keep(known) }
                return try await beginCluster(after: known)
            }
            if let known, known.stage == .founding, try row(of: known) == owner { return try await establish(known) }
            return try await succeed(owner, known)
        }
    }

    private func succeed(_ owner: ClusterRow, _ known: MemberIdentity?) async throws -> MemberIdentity {
        let made = NIOLockedValueBox<Result<MemberIdentity, any Error>?>(nil)
        let succession = try await store.succeed { number in
            // On the disk before it is committed: a key that the cluster knows must not be lost.
            let result = Result { () throws -> (MemberIdentity, ClusterStore.Successor) in
                let founder = try founder(numbered: number, after: known)
                let successor = ClusterStore.Successor(
                    cluster: try row(of: founder), node: try newNode(founder), certificate: try certificate(of: founder)
                )
                if let known, known.stage == .member { try keep(known) }
                try file.write(founder)
                return (founder, successor)
            }
            made.withLockedValue { $0 = result.map(\.0) }
            return try? result.get().1
        }
        switch succession {
        case .alive(let names):
            throw CommandFailure(
                .failure,
                "the database belongs to cluster \(Hexadecimal.encode(owner.id)), of which these nodes live: "
                    + "\(names.joined(separator: ", ")); stop them, and wait for 3 seconds where one was killed")
        case .nothingThere: throw CommandFailure(.failure, "the database's cluster has just gone; try again")
        case .begun, .notCertified: break
        }
        guard var member = try made.withLockedValue({ $0 })?.get() else {
            throw CommandFailure(.failure, "no node could be made")
        }
        member.stage = .member
        try file.write(member)
        logger.notice(
            "made a new cluster of what the database held, and its first node",
            metadata: [
                "cluster": "\(member.cluster)", "name": "\(member.name)", "node": "\(member.node)",
                "before": "\(Hexadecimal.encode(owner.id))",
            ])
        return member
    }

    private func keep(_ known: MemberIdentity) throws {
        let path = try file.setAside(known)
        logger.notice("what the node was is kept", metadata: ["file": "\(path)"])
    }
}
