/// What an operator carries from a cluster to a node that is to join it: which cluster, how to know it, and a secret that is
/// good once and for a while.
///
/// As text it is `flux1_` and base64url of cluster id (16 bytes), SHA-256 of the authority's certificate (32), secret (32), and the
/// first 4 bytes of the SHA-256 of all that, so that a slip of the hand is told from a wrong token. Reading is total, and each
/// token has one spelling.
public struct JoinToken: Equatable, Sendable {
    /// How long one lives unless it is told otherwise: an hour, in seconds.
    public static let defaultLifetimeSeconds: Int64 = 3600

    private static let prefix = "flux1_"
    private static let secretByteCount = 32
    private static let checkByteCount = 4
    private static let byteCount =
        ClusterID.byteCount + Digest.sha256ByteCount + secretByteCount + checkByteCount

    /// The cluster that is joined.
    public let cluster: ClusterID

    /// The authority that the cluster's nodes show.
    public let authority: CertificateFingerprint

    /// What the cluster lets its bearer in for. Never stored or logged.
    public let secret: [UInt8]

    /// A new token.
    public static func mint(cluster: ClusterID, authority: CertificateFingerprint) -> JoinToken {
        JoinToken(cluster: cluster, authority: authority, secret: SecureRandom.bytes(secretByteCount))
    }

    private init(cluster: ClusterID, authority: CertificateFingerprint, secret: [UInt8]) {
        self.cluster = cluster
        self.authority = authority
        self.secret = secret
    }

    /// The token that `text` spells; nil for everything that is not the one spelling of a token.
    public init?(parsing text: some StringProtocol) {
        let characters = text.utf8
        let encodedCount = (Self.byteCount * 4 + 2) / 3
        guard
            characters.prefix(Self.prefix.utf8.count + encodedCount + 1).count == Self.prefix.utf8.count + encodedCount,
            characters.starts(with: Self.prefix.utf8),
            let bytes = Base64URL.decode(utf8: characters.dropFirst(Self.prefix.utf8.count)),
            bytes.count == Self.byteCount
        else { return nil }
        let content = bytes.dropLast(Self.checkByteCount)
        guard Digest.sha256(content).starts(with: bytes.suffix(Self.checkByteCount)),
            let cluster = ClusterID(bytes: Array(content.prefix(ClusterID.byteCount))),
            let authority = CertificateFingerprint(
                bytes: Array(content.dropFirst(ClusterID.byteCount).prefix(Digest.sha256ByteCount)))
        else { return nil }
        self.init(cluster: cluster, authority: authority, secret: Array(content.suffix(Self.secretByteCount)))
    }

    /// The token as the operator sees it. Shown once; never stored or logged.
    public var text: String {
        let content = cluster.bytes + authority.bytes + secret
        return Self.prefix + Base64URL.encode(content + Digest.sha256(content).prefix(Self.checkByteCount))
    }

    /// What the store keeps: SHA-256 of the secret, which is random in full length, so that a slow hash would add nothing.
    public var secretHash: [UInt8] { Self.hash(ofSecret: secret) }

    /// The same for a secret that came over the wire.
    public static func hash(ofSecret secret: [UInt8]) -> [UInt8] { Digest.sha256(secret) }

    /// What people call a token when they list or revoke it: the first 8 bytes of its hash in hexadecimal, which tells nothing
    /// about the secret.
    public static func identifier(ofHash hash: [UInt8]) -> String { Hexadecimal.encode(hash.prefix(8)) }
}
