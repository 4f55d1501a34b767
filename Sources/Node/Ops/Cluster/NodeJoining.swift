import FluxCluster
import FluxSecurity
import Logging
import NIOCore

/// What `flux node join` was told: whom to ask, and the token that lets the node in.
public struct NodeJoining: Sendable {
    let address: Endpoint
    let token: JoinToken

    /// Makes the node of the data directory a member of the token's cluster. A node that is one already asks nobody, so that
    /// the command may be repeated; after a failure nothing is left but the key for the next try.
    func perform(
        _ configuration: NodeConfiguration, advertised: Endpoint, file: IdentityFile, dialect: WireDialect = .own,
        on loop: any EventLoop, logger: Logger
    ) async throws {
        if let known = try file.read() {
            guard known.cluster == token.cluster else {
                throw CommandFailure(
                    .wrongCluster,
                    "the data directory holds a node of cluster \(known.cluster), and the token is for \(token.cluster)"
                )
            }
            logger.notice("the node is a member already", metadata: ["name": "\(known.name)"])
            return
        }
        guard let seed = PeerAddress(address), let own = PeerAddress(advertised) else {
            throw CommandFailure(.usage, "\(address): expected host:port with a port above 0")
        }
        guard !advertised.isLoopback || address.isLoopback else {
            throw CommandFailure(
                .configuration,
                "cluster_listen: the other nodes could not reach this one at \(advertised); set cluster_listen to an "
                    + "address of this machine that they reach, or cluster_advertise")
        }
        let key = try file.joiningKey { try CertificateSigningRequest.generate().privateKeyPEM }
        let name = configuration.newNodeName
        let joined: JoinedNode
        do throws(JoinError) {
            var client = JoinClient(token: token, name: name, address: own, privateKeyPEM: key)
            client.dialect = dialect
            joined = try await client.join(at: seed, on: loop)
        } catch {
            throw CommandFailure(error, at: address, name: name)
        }
        try file.write(
            MemberIdentity(
                stage: .member, cluster: token.cluster, node: joined.grant.node, name: name,
                authority: joined.authority.identity, certificate: joined.identity,
                databaseURL: Secret(joined.grant.databaseURL)))
        logger.notice(
            "joined the cluster",
            metadata: [
                "cluster": "\(token.cluster)", "name": "\(name)", "node": "\(joined.grant.node)",
                "members": "\(joined.grant.members.map(\.name).joined(separator: " "))",
            ])
    }
}

extension Endpoint {
    /// Whether it can only be this machine.
    fileprivate var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
}

extension CommandFailure {
    /// What a failed join means for the process.
    init(_ error: JoinError, at address: Endpoint, name: String) {
        switch error {
        case .refused(.nameTaken):
            self.init(.nameTaken, "a node of the cluster is called \(name); choose another name with --name")
        case .refused(let refusal): self.init(refusal.status, refusal.description)
        case .noCommonVersion: self.init(.versionMismatch, error.description)
        case .notTheCluster: self.init(.wrongCluster, error.description)
        case .unreachable(let why):
            self.init(.noNode, "no node answers at \(address): \(why); is this its cluster port (cluster_listen)?")
        case .malformedAnswer: self.init(.failure, error.description)
        }
    }
}

extension JoinRefusal {
    fileprivate var status: ExitStatus {
        switch self {
        case .wrongToken: .wrongToken
        case .usedToken: .usedToken
        case .expiredToken: .expiredToken
        case .wrongCluster: .wrongCluster
        case .nameTaken: .nameTaken
        case .version: .versionMismatch
        case .badName: .configuration
        case .unavailable, .notAccepting: .unavailable
        case .malformed, .full, .other: .failure
        }
    }
}
