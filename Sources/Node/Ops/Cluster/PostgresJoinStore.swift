import FluxCluster
import FluxCore
import FluxSecurity
import FluxStore
import NIOConcurrencyHelpers

/// Admissions as rows of Postgres.
struct PostgresJoinStore: JoinStore {
    /// The tables.
    let store: ClusterStore
    /// What nodes that join are told; nil where the database is one that no other node can reach.
    let databaseURL: Secret?

    /// What to do about a Postgres that only its own node reaches.
    static let privateDatabase =
        "this node runs a private Postgres, which no other node can reach; a cluster needs one that all nodes reach: "
        + "start one (`flux postgres run` on this machine is enough for a try) and name it as database.url"

    func admit(
        _ applicant: JoinApplicant,
        certify: @escaping @Sendable (NodeID) throws(JoinRefusal) -> CertificateFingerprint
    ) async throws(JoinRefusal) -> JoinAdmission {
        guard let databaseURL else { throw .unavailable(Self.privateDatabase) }
        let node = NewNode(
            name: applicant.name, address: applicant.address.description, keyFingerprint: applicant.keyFingerprint)
        let refusal = NIOLockedValueBox<JoinRefusal?>(nil)
        let admission: ClusterStore.Admission
        do throws(StoreError) {
            admission = try await store.admit(node, tokenHash: applicant.tokenHash) { number in
                do throws(JoinRefusal) {
                    guard let id = NodeID(rawValue: number) else { throw .full }
                    // As long as the certificate itself, which was made a moment ago.
                    let until = Timestamp.now().adding(seconds: NodeCertificate.lifetimeSeconds)
                    return CertificateRow(fingerprint: try certify(id).bytes, expiresAt: until)
                } catch {
                    refusal.withLockedValue { $0 = error }
                    return nil
                }
            }
        } catch {
            throw .unavailable("\(error)")
        }
        switch admission {
        case .admitted(let number, let others):
            guard let id = NodeID(rawValue: number) else { throw .full }
            return JoinAdmission(node: id, members: others.compactMap(Self.member), databaseURL: databaseURL.exposed)
        case .unknownToken: throw .wrongToken
        case .usedToken: throw .usedToken
        case .expiredToken: throw .expiredToken
        case .nameTaken: throw .nameTaken
        case .full: throw .full
        case .notCertified: throw refusal.withLockedValue(\.self) ?? .unavailable("no certificate could be made")
        }
    }

    /// A member that can be reached; one that has not said yet where is found in the table of nodes later.
    private static func member(_ row: NodeRow) -> JoinMember? {
        guard let node = NodeID(rawValue: row.identity.node), let address = PeerAddress(Endpoint(row.address)) else {
            return nil
        }
        return JoinMember(name: row.name, node: node, address: address)
    }
}

extension PeerAddress {
    /// The address of an endpoint with a real port.
    init?(_ endpoint: Endpoint?) {
        guard let endpoint, let port = UInt16(exactly: endpoint.port), port > 0 else { return nil }
        self.init(host: endpoint.host, port: port)
    }
}
