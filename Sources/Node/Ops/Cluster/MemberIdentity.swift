import FluxCluster
import FluxCore
import FluxSecurity

/// Who a node is in its cluster: what it keeps in `identity.json` of its data directory, and needs at every start.
///
/// Whoever can read it can act as the node, and let others into the cluster, as every member can.
struct MemberIdentity: Sendable, Equatable {
    /// How far the node has come.
    enum Stage: String {
        /// It makes a cluster, and Postgres may not know of it yet.
        case founding
        /// It is a member.
        case member
    }

    /// How far it has come.
    var stage: Stage
    /// Its cluster.
    let cluster: ClusterID
    /// Its number.
    let node: NodeID
    /// What it is called, for ever.
    let name: String
    /// The cluster's authority: certificate and key.
    let authority: TLSIdentity
    /// Its own certificate, with the chain, and its key.
    var certificate: TLSIdentity
    /// Where it learned that the cluster's Postgres is; nil for the node that made the cluster, which was told.
    let databaseURL: Secret?

    /// The first node of a new cluster.
    static func founder(
        named name: String, numbered node: NodeID, databaseURL: Secret? = nil, at now: Timestamp
    ) throws(TLSError) -> Self {
        let cluster = ClusterID.random()
        let authority = try NodeCertificate.authority(of: cluster, at: now)
        let (request, key) = try CertificateSigningRequest.generate()
        let chain = try authority.issue(
            NodeCertificate(cluster: cluster, node: node.rawValue).request(name: name, at: now), for: request)
        return MemberIdentity(
            stage: .founding, cluster: cluster, node: node, name: name, authority: authority.identity,
            certificate: TLSIdentity(certificateChainPEM: chain, privateKeyPEM: key), databaseURL: databaseURL)
    }

    /// The same node with a certificate that is good from now on.
    func renewed(at now: Timestamp) throws(TLSError) -> Self {
        let request = try CertificateSigningRequest(privateKeyPEM: certificate.privateKeyPEM)
        var renewed = self
        renewed.certificate.certificateChainPEM = try CertificateAuthority(identity: authority).issue(
            NodeCertificate(cluster: cluster, node: node.rawValue).request(name: name, at: now), for: request)
        return renewed
    }

    /// SHA-256 of the node's public key.
    func keyFingerprint() throws(TLSError) -> [UInt8] {
        try CertificateSigningRequest(privateKeyPEM: certificate.privateKeyPEM).keyFingerprint
    }

    /// SHA-256 of the authority's certificate.
    func authorityFingerprint() throws(TLSError) -> [UInt8] {
        try authority.fingerprint()
    }
}

// MARK: The file

extension MemberIdentity {
    /// A format that a later version changes gets another number.
    private static let format = 1

    /// Reads the file's content. Total, and checks that everything in it belongs together.
    init(parsing bytes: [UInt8]) throws(MemberIdentityError) {
        guard let object = try? JSON.parse(bytes).objectValue else { throw MemberIdentityError("it is not JSON") }
        guard object["format"]?.intValue == Self.format else {
            throw MemberIdentityError("it was written by another version of Flux")
        }
        func text(_ name: String) throws(MemberIdentityError) -> String {
            guard let text = object[name]?.stringValue else { throw MemberIdentityError("\(name) is missing") }
            return text
        }
        guard let stage = Stage(rawValue: try text("stage")), let cluster = ClusterID(try text("cluster")),
            let number = object["node"]?.intValue.flatMap({ UInt16(exactly: $0) }), let node = NodeID(rawValue: number),
            let name = ConfigurationValueType<String>.nodeName.parse(.scalar(try text("name")))
        else { throw MemberIdentityError("stage, cluster, node or name cannot be read") }
        self.stage = stage
        self.cluster = cluster
        self.node = node
        self.name = name
        authority = TLSIdentity(
            certificateChainPEM: Array(try text("authority_certificate").utf8),
            privateKeyPEM: Array(try text("authority_key").utf8))
        certificate = TLSIdentity(
            certificateChainPEM: Array(try text("certificate").utf8), privateKeyPEM: Array(try text("key").utf8))
        databaseURL = object["database_url"]?.stringValue.map { Secret($0) }
        try check()
    }

    private func check() throws(MemberIdentityError) {
        do {
            _ = try CertificateAuthority(identity: authority)
            _ = try ClusterCredentials(authorityPEM: authority.certificateChainPEM, identity: certificate)
            guard try certificate.nodeCertificate() == NodeCertificate(cluster: cluster, node: node.rawValue) else {
                throw MemberIdentityError("the certificate is another node's")
            }
        } catch let error as MemberIdentityError {
            throw error
        } catch {
            throw MemberIdentityError("\(error)")
        }
    }

    /// The file's content.
    func encoded() -> [UInt8] {
        var writer = JSONWriter(capacity: 4096)
        writer.beginObject()
        writer.key("format")
        writer.int(Self.format)
        func write(_ name: StaticString, _ text: String) {
            writer.key(name)
            writer.string(text)
        }
        write("stage", stage.rawValue)
        write("cluster", cluster.description)
        writer.key("node")
        writer.int(node.rawValue)
        write("name", name)
        write("authority_certificate", String(decoding: authority.certificateChainPEM, as: UTF8.self))
        write("authority_key", String(decoding: authority.privateKeyPEM, as: UTF8.self))
        write("certificate", String(decoding: certificate.certificateChainPEM, as: UTF8.self))
        write("key", String(decoding: certificate.privateKeyPEM, as: UTF8.self))
        if let databaseURL { write("database_url", databaseURL.exposed) }
        writer.endObject()
        return writer.bytes
    }
}

/// Why the content of an identity file cannot be used.
struct MemberIdentityError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
