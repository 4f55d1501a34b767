import FluxCluster
import FluxCore
import FluxSecurity
import FluxStore
import Logging

/// Makes sure that a node and its database belong together, before the node does anything in it: a node that is new makes a
/// cluster of a database that has none, any other one must be a member of the database's cluster.
struct MembershipCheck: Sendable {
    /// The number of the first node of a cluster.
    private static let firstNode: UInt16 = 1

    let configuration: NodeConfiguration
    /// Where the node will be reached.
    let address: Endpoint
    let file: IdentityFile
    let store: ClusterStore
    let logger: Logger

    /// What the node is from now on. `known` is what its data directory says; nil for a new node.
    func establish(_ known: MemberIdentity?) async throws(CommandFailure) -> MemberIdentity {
        try await explained {
            guard let known else { return try await beginCluster() }
            if let name = configuration.name, name != known.name {
                throw CommandFailure(
                    .configuration,
                    "name: the node of this data directory is called \(known.name), not \(name); "
                        + "a node keeps its name for ever")
            }
            switch known.stage {
            case .founding: return try await found(known)
            case .member:
                try await confirm(known)
                return known
            }
        }
    }

    /// Says of every failure what it means for the process.
    func explained(
        _ work: () async throws -> MemberIdentity
    ) async throws(CommandFailure) -> MemberIdentity {
        do {
            return try await work()
        } catch let failure as CommandFailure {
            throw failure
        } catch let error as StoreError {
            throw CommandFailure(error)
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
    }

    /// - Parameter former: what the node was in a cluster that is over for it.
    func beginCluster(after former: MemberIdentity? = nil) async throws -> MemberIdentity {
        if let owner = try await store.cluster() { throw belongsElsewhere(owner) }
        let founder = try founder(numbered: Self.firstNode, after: former)
        // On the disk first: a key that the cluster knows must not be lost.
        try file.write(founder)
        return try await found(founder)
    }

    /// The first node of a new cluster. It keeps the name that it had, and finds Postgres where it did.
    func founder(numbered number: UInt16, after former: MemberIdentity?) throws -> MemberIdentity {
        guard let node = NodeID(rawValue: number) else { throw CommandFailure(.failure, "no node number") }
        return try .founder(
            named: configuration.name ?? former?.name ?? configuration.newNodeName, numbered: node,
            databaseURL: former?.databaseURL, at: .now())
    }

    private func found(_ founder: MemberIdentity) async throws -> MemberIdentity {
        let cluster = try row(of: founder)
        let owner = try await store.found(
            cluster, with: try newNode(founder), numbered: founder.node.rawValue,
            certificate: try certificate(of: founder))
        guard owner == cluster else {
            file.remove()
            throw belongsElsewhere(owner)
        }
        var member = founder
        member.stage = .member
        try file.write(member)
        logger.notice(
            "made the cluster and its first node", metadata: ["cluster": "\(member.cluster)", "name": "\(member.name)"])
        return member
    }

    private func confirm(_ member: MemberIdentity) async throws {
        guard let owner = try await store.cluster() else {
            throw CommandFailure(
                .wrongCluster,
                "the database holds no cluster, and this node is a member of \(member.cluster): is database.url right? "
                    + anewIfGone)
        }
        guard owner.id == member.cluster.bytes, owner.authority == (try member.authorityFingerprint()) else {
            throw CommandFailure(
                .wrongCluster,
                "the database belongs to cluster \(Hexadecimal.encode(owner.id)), and this node is a member of "
                    + "\(member.cluster): is database.url right? \(anewIfGone)")
        }
        do throws(StoreError) {
            // Not there when a backup was put back from before the last renewal.
            try await store.add(try certificate(of: member), ofNode: member.node.rawValue)
        } catch .fenced {
            throw CommandFailure.removed(member)
        }
    }

    func row(of member: MemberIdentity) throws(TLSError) -> ClusterRow {
        ClusterRow(id: member.cluster.bytes, authority: try member.authorityFingerprint())
    }

    func newNode(_ founder: MemberIdentity) throws(TLSError) -> NewNode {
        NewNode(name: founder.name, address: address.description, keyFingerprint: try founder.keyFingerprint())
    }

    func certificate(of member: MemberIdentity) throws(StoreError) -> CertificateRow {
        do throws(TLSError) {
            return CertificateRow(
                fingerprint: try member.certificate.fingerprint(), expiresAt: try member.certificate.validity().until)
        } catch {
            throw .invalid("\(error)")
        }
    }

    private func belongsElsewhere(_ owner: ClusterRow) -> CommandFailure {
        CommandFailure(
            .wrongCluster,
            "the database belongs to cluster \(Hexadecimal.encode(owner.id)) already, and this data directory holds no "
                + "node of it: make a token on one of its nodes (`flux node token create`) and join with it "
                + "(`flux node join`), or put identity.json back from a backup. \(anewIfGone)")
    }

    private var anewIfGone: String {
        "(If every node of its cluster is gone for good, `flux node init --anew` makes a new cluster of what is there.)"
    }
}

extension CommandFailure {
    /// The node is no member any more.
    static func removed(_ member: MemberIdentity) -> CommandFailure {
        CommandFailure(
            .removed,
            "node \(member.name) was removed from cluster \(member.cluster); to join again, move identity.json out of the "
                + "data directory and use a new token")
    }
}
