import FluxCluster
import FluxCore
import FluxSecurity
import FluxStore
import Logging

/// A node's place on the network of its cluster, made of its identity: what it shows, whom it believes, where it listens,
/// and the desk that lets new nodes in.
struct NodeNetwork: Sendable {
    /// How often the table of certificates is read: a removed node's links end, and a new node's are taken, so much later.
    static let interval = Duration.seconds(1)
    /// How often the node looks whether its certificate is due, and tries again when it could not be renewed.
    static let renewalInterval = Duration.seconds(60)
    /// How long a new certificate is known before it is shown, so that every node has read of it by then.
    static let headStart = Duration.seconds(5)

    /// Who the node is.
    let identity: MemberIdentity
    /// Where it is reached by the others.
    let advertised: PeerAddress
    /// Where it listens.
    let listen: PeerAddress
    /// Its certificate and key in use.
    let credentials: ClusterCredentials
    private let desk: JoinDesk
    private let dialect: WireDialect
    private let store: ClusterStore
    private let file: IdentityFile
    private let logger: Logger

    /// The network of a node that listens at `listen`, whose port is known.
    /// - Parameters:
    ///   - advertise: where the others reach it; nil: where it listens.
    ///   - admissions: where the desk lets nodes in.
    ///   - certificates: where the members' certificates are read each second.
    ///   - dialect: what is spoken with other nodes.
    init(
        _ identity: MemberIdentity, listen: Endpoint, advertise: Endpoint?, admissions: PostgresJoinStore,
        certificates: ClusterStore, file: IdentityFile, dialect: WireDialect = .own, logger: Logger
    ) throws(CommandFailure) {
        guard let here = PeerAddress(listen), let advertised = PeerAddress(advertise ?? listen)
        else { throw CommandFailure(.configuration, "cluster_listen \(listen): it has no port") }
        self.identity = identity
        self.advertised = advertised
        self.listen = here
        store = certificates
        self.file = file
        self.dialect = dialect
        self.logger = logger
        do throws(TLSError) {
            credentials = try ClusterCredentials(
                authorityPEM: identity.authority.certificateChainPEM, identity: identity.certificate)
            desk = JoinDesk(
                cluster: identity.cluster, authority: try CertificateAuthority(identity: identity.authority),
                dialect: dialect, store: admissions)
        } catch {
            throw CommandFailure(.configuration, "identity.json: \(error)")
        }
    }

    /// What the transport between nodes is made with.
    var configuration: LinkConfiguration {
        var result = LinkConfiguration(
            cluster: identity.cluster, security: .certificates(credentials), listen: listen)
        result.joinDesk = desk
        result.dialect = dialect
        result.logger = logger
        return result
    }

    /// Keeps the transport true to the table of certificates, and the node's own certificate good, until the task is
    /// cancelled. Without Postgres it goes on with what it knows.
    func keep(_ accept: @escaping @Sendable (Set<CertificateFingerprint>) -> Void) async {
        async let renewing: Void = keepRenewed()
        while !Task.isCancelled {
            if let accepted = await accepted() { accept(accepted) }
            try? await Task.sleep(for: Self.interval)
        }
        await renewing
    }

    private func keepRenewed() async {
        var current = identity
        while !Task.isCancelled {
            if Timestamp.now() >= Self.renewal(of: current), let renewed = await renew(current) { current = renewed }
            try? await Task.sleep(for: Self.renewalInterval)
        }
    }

    /// The certificates of members; nil when Postgres does not say.
    private func accepted() async -> Set<CertificateFingerprint>? {
        guard let fingerprints = try? await store.fingerprints() else { return nil }
        return Set(fingerprints.compactMap { CertificateFingerprint(bytes: $0) })
    }

    /// Makes a new certificate, tells it to the others, keeps it, and shows it from then on; nil when that failed, and the
    /// old one stays.
    func renew(
        _ current: MemberIdentity, at now: Timestamp = .now(), headStart: Duration = Self.headStart
    ) async -> MemberIdentity? {
        do {
            let renewed = try current.renewed(at: now)
            try await store.add(
                CertificateRow(
                    fingerprint: try renewed.certificate.fingerprint(),
                    expiresAt: try renewed.certificate.validity().until),
                ofNode: renewed.node.rawValue)
            try file.write(renewed)
            try? await Task.sleep(for: headStart)
            try credentials.renew(renewed.certificate)
            logger.notice("the node's certificate was renewed")
            return renewed
        } catch {
            logger.error(
                "the node's certificate could not be renewed; the next try is in a minute",
                metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// When that certificate is to be renewed. Nodes of one day spread out by their numbers.
    private static func renewal(of identity: MemberIdentity) -> Timestamp {
        guard let validity = try? identity.certificate.validity() else { return .now() }
        return NodeCertificate.renewal(
            from: validity.from, until: validity.until,
            jitter: Double(identity.node.rawValue) / Double(NodeID.count))
    }
}
