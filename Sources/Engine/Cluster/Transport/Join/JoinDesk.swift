import FluxCore
import FluxSecurity
import NIOConcurrencyHelpers

/// Who asks to be let in, as far as the store has to know.
public struct JoinApplicant: Hashable, Sendable {
    /// SHA-256 of the token's secret.
    public let tokenHash: [UInt8]
    /// What the node is to be called.
    public let name: String
    /// Where other nodes will reach it.
    public let address: PeerAddress
    /// SHA-256 of the node's public key: tells a repeated request of one node from one of another.
    public let keyFingerprint: [UInt8]

    /// An applicant from its parts.
    public init(tokenHash: [UInt8], name: String, address: PeerAddress, keyFingerprint: [UInt8]) {
        self.tokenHash = tokenHash
        self.name = name
        self.address = address
        self.keyFingerprint = keyFingerprint
    }
}

/// What the store says of a node that it let in.
public struct JoinAdmission: Equatable, Sendable {
    /// The node's number.
    public let node: NodeID
    /// The members, without the node itself.
    public let members: [JoinMember]
    /// The cluster's Postgres.
    public let databaseURL: String

    /// An admission from its parts.
    public init(node: NodeID, members: [JoinMember], databaseURL: String) {
        self.node = node
        self.members = members
        self.databaseURL = databaseURL
    }
}

/// Where the cluster's tokens and nodes are kept.
public protocol JoinStore: Sendable {
    /// Lets a node in, wholly or not at all: in one transaction takes the token, gives the node a number, has it certified for that
    /// number, and writes its row with the certificate's fingerprint, so that every member accepts it.
    ///
    /// A token that was used by the very same node (name and key) lets it in again under its number, with a new certificate: its
    /// first answer may have been lost. Refuses with `wrongToken`, `usedToken`, `expiredToken`, `nameTaken`, `full` or
    /// `unavailable`; then nothing has changed.
    func admit(
        _ applicant: JoinApplicant,
        certify: @escaping @Sendable (NodeID) throws(JoinRefusal) -> CertificateFingerprint
    ) async throws(JoinRefusal) -> JoinAdmission
}

/// Decides on nodes that want to join. Every member has one, as every member holds the authority's key.
public final class JoinDesk: Sendable {
    /// Requests that are decided at one time; one more is told to come again.
    private static let bound = 8

    private let cluster: ClusterID
    private let authority: CertificateAuthority
    /// How this node writes, and what it reads.
    let dialect: WireDialect
    private let store: any JoinStore
    private let now: @Sendable () -> Timestamp
    private let underWay = NIOLockedValueBox(0)

    /// A desk of a cluster.
    public init(
        cluster: ClusterID, authority: CertificateAuthority, dialect: WireDialect = .own, store: any JoinStore,
        now: @escaping @Sendable () -> Timestamp = { .now() }
    ) {
        self.cluster = cluster
        self.authority = authority
        self.dialect = dialect
        self.store = store
        self.now = now
    }

    /// Lets the node in, or says why not.
    func decide(_ request: JoinRequest) async throws(JoinRefusal) -> JoinGrant {
        guard dialect.versions.agreed(with: request.versions) != nil else { throw .version(dialect.versions) }
        guard request.cluster == cluster else { throw .wrongCluster }
        guard Self.isName(request.name) else { throw .badName }
        guard let signingRequest = CertificateSigningRequest(parsing: request.signingRequest) else {
            throw .malformed
        }
        guard enter() else { throw .unavailable("too many nodes join at once") }
        defer { leave() }
        let applicant = JoinApplicant(
            tokenHash: JoinToken.hash(ofSecret: request.secret), name: request.name, address: request.address,
            keyFingerprint: signingRequest.keyFingerprint)
        let certificate = NIOLockedValueBox<[UInt8]>([])
        let admission = try await store.admit(applicant) { (node) throws(JoinRefusal) in
            let (chain, fingerprint) = try self.certify(signingRequest, as: node, named: request.name)
            certificate.withLockedValue { $0 = chain }
            return fingerprint
        }
        return JoinGrant(
            node: admission.node, certificateChainPEM: certificate.withLockedValue { $0 },
            authorityCertificatePEM: authority.identity.certificateChainPEM,
            authorityKeyPEM: authority.identity.privateKeyPEM, members: admission.members,
            databaseURL: admission.databaseURL)
    }

    private func certify(
        _ signingRequest: CertificateSigningRequest, as node: NodeID, named name: String
    ) throws(JoinRefusal) -> (chain: [UInt8], fingerprint: CertificateFingerprint) {
        do {
            let what = NodeCertificate(cluster: cluster, node: node.rawValue).request(name: name, at: now())
            let chain = try authority.issue(what, for: signingRequest)
            let identity = TLSIdentity(certificateChainPEM: chain, privateKeyPEM: [])
            if let fingerprint = CertificateFingerprint(bytes: try identity.fingerprint()) {
                return (chain, fingerprint)
            }
        } catch {
            throw .unavailable("\(error)")
        }
        throw .unavailable("no fingerprint")
    }

    /// The same rule as the configuration's: a DNS label in lower case.
    private static func isName(_ name: String) -> Bool {
        (1...63).contains(name.utf8.count) && !name.hasPrefix("-")
            && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    }

    private func enter() -> Bool {
        underWay.withLockedValue { count in
            guard count < Self.bound else { return false }
            count += 1
            return true
        }
    }

    private func leave() {
        underWay.withLockedValue { $0 -= 1 }
    }
}
