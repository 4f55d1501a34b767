import FluxCluster
import FluxCore
import FluxSecurity
import FluxStore
import FluxTestSupport
import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import FluxOps

@Suite("What a node is, on its disk")
struct MemberIdentityTests {
    /// A data directory that is removed afterwards.
    private func withDirectory(_ body: (DataDirectory) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("flux-identity-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try DataDirectory(path)
        try await body(directory)
        withExtendedLifetime(directory) {}
    }

    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func founder() throws -> MemberIdentity {
        try .founder(named: "first", numbered: try #require(NodeID(rawValue: 1)), at: .now())
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
    }

    @Test("It is read back as it was, and only its user may read it")
    func roundTrip() async throws {
        try await withDirectory { directory in
            let file = IdentityFile(in: directory, logger: logger)
            #expect(try file.read() == nil)
            let path = directory.file("identity.json")
            for stage in [MemberIdentity.Stage.founding, .member] {
                var member = try founder()
                member.stage = stage
                try file.write(member)
                #expect(try file.read() == member)
                #expect(try mode(path) == 0o600)
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            _ = try file.read()
            #expect(try mode(path) == 0o600)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == [
                    "identity.json", "node.lock",
                ])
        }
    }

    @Test("A damaged or a mixed file is refused with what to do")
    func damage() async throws {
        try await withDirectory { directory in
            let file = IdentityFile(in: directory, logger: logger)
            let (one, other) = (try founder(), try founder())
            let whole = String(decoding: one.encoded(), as: UTF8.self)
            let foreign = MemberIdentity(
                stage: .member, cluster: one.cluster, node: one.node, name: one.name, authority: one.authority,
                certificate: other.certificate, databaseURL: nil)
            let contents = [
                "", "{}", String(whole.dropLast(20)), whole.replacing("\"format\":1", with: "\"format\":2"),
                whole.replacing("\"name\":\"first\"", with: "\"name\":\"../first\""),
                whole.replacing("BEGIN", with: "BEGUN"), String(decoding: foreign.encoded(), as: UTF8.self),
            ]
            for content in contents {
                try Data(content.utf8).write(to: URL(fileURLWithPath: directory.file("identity.json")))
                let failure = #expect(throws: CommandFailure.self) { try file.read() }
                #expect(failure?.status == .configuration)
                #expect(failure?.message.contains("put it back from a backup") == true)
            }
        }
    }

    @Test("A join that is tried again shows the same key, until the node is a member")
    func joiningKey() async throws {
        try await withDirectory { directory in
            let file = IdentityFile(in: directory, logger: logger)
            let make = { try CertificateSigningRequest.generate().privateKeyPEM }
            let key = try file.joiningKey(otherwise: make)
            #expect(try file.joiningKey(otherwise: make) == key)
            #expect(try mode(directory.file("joining-key.pem")) == 0o600)
            try file.write(try founder())
            #expect(!FileManager.default.fileExists(atPath: directory.file("joining-key.pem")))
        }
    }

    @Test("A new cluster in the place of one that is over: what the node was is kept, and an interruption goes on")
    func anew() async throws {
        let database = try await TestPostgres.shared.database().open(connections: 2)
        try await withDirectory { directory in
            let store = ClusterStore(database)
            let file = IdentityFile(in: directory, logger: logger)
            let check = MembershipCheck(
                configuration: NodeConfiguration(), address: Endpoint(host: "127.0.0.1", port: 7400), file: file,
                store: store, logger: logger)
            func kept(_ member: MemberIdentity) throws -> MemberIdentity {
                let path = directory.file("identity-\(member.cluster).json")
                #expect(try mode(path) == 0o600)
                return try MemberIdentity(parsing: Array(try #require(FileManager.default.contents(atPath: path))))
            }
            // A cluster that is gone with its database.
            var gone = try MemberIdentity.founder(
                named: "old", numbered: try #require(NodeID(rawValue: 7)), databaseURL: Secret("postgres://old"),
                at: .now())
            gone.stage = .member
            let first = try await check.beginAnew(gone)
            #expect(first.cluster != gone.cluster && first.node.rawValue == 1 && first.name == "old")
            // It was told by the cluster where Postgres is.
            #expect(first.databaseURL == gone.databaseURL)
            #expect(try kept(gone) == gone)
            #expect(try file.read() == first)

            // One whose node is gone.
            let second = try await check.beginAnew(nil)
            #expect(second.node.rawValue == 2 && second.cluster != first.cluster)
            #expect(try await check.establish(second) == second)
            let failure = await #expect(throws: CommandFailure.self) { _ = try await check.establish(first) }
            #expect(failure?.status == .wrongCluster)
            #expect(failure?.message.contains("flux node init --anew") == true)

            // A copy with what its node was, interrupted before and after the commit.
            let third = try await check.beginAnew(second)
            #expect(third.name == second.name && third.node.rawValue == 3)
            #expect(try kept(second) == second)
            var interrupted = third
            interrupted.stage = .founding
            try file.write(interrupted)
            #expect(try await check.beginAnew(interrupted) == third)
            #expect(try file.read() == third)
            let fourth = try await check.beginAnew(try founder())
            #expect(fourth.node.rawValue == 4)
            #expect(try await store.members().map(\.node.identity.node) == [4])

            // While a node of the cluster lives neither disk nor database are touched.
            _ = try await LeaseStore(database).register(node: 4, name: fourth.name, lanes: 1, at: .now())
            let alive = await #expect(throws: CommandFailure.self) { _ = try await check.beginAnew(nil) }
            #expect(alive?.message.contains("these nodes live: \(fourth.name);") == true)
            #expect(try file.read() == fourth)
            #expect(try await check.establish(fourth) == fourth)
        }
        await database.close()
    }

    @Test("A renewed certificate is known to the cluster, kept on the disk, and of the same node")
    func renewal() async throws {
        let database = try await TestPostgres.shared.database().open(connections: 2)
        try await withDirectory { directory in
            let store = ClusterStore(database)
            let file = IdentityFile(in: directory, logger: logger)
            var configuration = NodeConfiguration()
            configuration.name = "first"
            let check = MembershipCheck(
                configuration: configuration, address: Endpoint(host: "127.0.0.1", port: 7400), file: file,
                store: store, logger: logger)
            let member = try await check.establish(nil)
            #expect(try file.read() == member)
            let network = try NodeNetwork(
                member, listen: Endpoint(host: "127.0.0.1", port: 7400), advertise: nil,
                admissions: PostgresJoinStore(store: store, databaseURL: nil), certificates: store, file: file,
                logger: logger)
            let later = Timestamp.now().adding(seconds: 60 * 86_400)
            let renewed = try #require(await network.renew(member, at: later, headStart: .zero))
            #expect(try file.read() == renewed)
            let until = try renewed.certificate.validity().until
            #expect(until.seconds == later.seconds + NodeCertificate.lifetimeSeconds)
            #expect(try renewed.keyFingerprint() == member.keyFingerprint())
            #expect(
                try renewed.certificate.nodeCertificate() == NodeCertificate(cluster: member.cluster, node: 1))
            // Both are accepted, as links with the old one stand.
            let known = Set(try await store.fingerprints())
            #expect(known == [try member.certificate.fingerprint(), try renewed.certificate.fingerprint()])

            // The node starts again: it is a member, under its name alone, and only of this cluster.
            #expect(try await check.establish(renewed) == renewed)
            let stranger = MembershipCheck(
                configuration: NodeConfiguration(), address: Endpoint(host: "127.0.0.1", port: 7400), file: file,
                store: store, logger: logger)
            for identity in [nil, try founder()] {
                let failure = await #expect(throws: CommandFailure.self) { _ = try await stranger.establish(identity) }
                #expect(failure?.status == .wrongCluster)
            }
            configuration.name = "other"
            let renamed = MembershipCheck(
                configuration: configuration, address: check.address, file: file, store: store, logger: logger)
            let failure = await #expect(throws: CommandFailure.self) { _ = try await renamed.establish(renewed) }
            #expect(failure?.status == .configuration)
        }
        await database.close()
    }
}
