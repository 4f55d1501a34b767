import FluxCore
import FluxTestSupport
import Testing

@testable import FluxStore

/// Who may be a member: every change is whole, and no name, number or token is given twice.
@Suite(.timeLimit(.minutes(2))) struct ClusterStoreTests {
    private static let home = ClusterRow(id: bytes(1, 16), authority: bytes(2, 32))

    private static func bytes(_ value: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: value, count: count) }

    private static func node(_ name: String, key: UInt8 = 9) -> NewNode {
        NewNode(name: name, address: "127.0.0.1:7400", keyFingerprint: bytes(key, 32))
    }

    /// A certificate that is another one at each call.
    private static func certificate(_ number: UInt16 = 0) -> CertificateRow {
        var generator = SystemRandomNumberGenerator()
        return CertificateRow(
            fingerprint: (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) },
            expiresAt: Timestamp.now().adding(seconds: 3600))
    }

    /// A store whose cluster is there, with node 1.
    private static func founded(_ database: Database) async throws -> ClusterStore {
        let store = ClusterStore(database)
        #expect(try await store.cluster() == nil)
        let owner = try await store.found(
            home, with: node("first", key: 1), numbered: 1, certificate: certificate())
        #expect(owner == home)
        return store
    }

    private static func token(_ store: ClusterStore, _ value: UInt8, lifetime: Int64 = 3600) async throws -> [UInt8] {
        try await store.addToken(hash: bytes(value, 32), lifetimeSeconds: lifetime).hash
    }

    private static func number(_ admission: ClusterStore.Admission) -> UInt16? {
        if case .admitted(let number, _) = admission { number } else { nil }
    }

    @Test func aDatabaseHasOneCluster() async throws {
        try await withDatabase { database in
            let store = try await Self.founded(database)
            // Its answer was lost: the same again.
            let again = try await store.found(
                Self.home, with: Self.node("first", key: 1), numbered: 1, certificate: Self.certificate())
            #expect(again == Self.home)
            let other = ClusterRow(id: Self.bytes(7, 16), authority: Self.bytes(8, 32))
            let owner = try await store.found(
                other, with: Self.node("stranger"), numbered: 1, certificate: Self.certificate())
            #expect(owner == Self.home)
            #expect(try await store.members().map(\.node.name) == ["first"])
            #expect(try await store.fingerprints().count == 1)
        }
    }

    @Test func anAdmissionIsWholeAndGivenAgainToTheSameNode() async throws {
        try await withDatabase { database in
            let store = try await Self.founded(database)
            let token = try await Self.token(store, 1)
            let second = try await store.admit(Self.node("second"), tokenHash: token, certify: Self.certificate)
            guard case .admitted(2, let others) = second else {
                Issue.record("\(second)")
                return
            }
            #expect(others.map(\.name) == ["first"])
            #expect(try await store.tokens().map(\.usedBy) == ["second"])
            let first = try await store.fingerprints()
            #expect(first.count == 2)
            // A member that has not started yet counts as away.
            #expect(try await store.members().map(\.node.state) == [.left, .left])

            let again = try await store.admit(Self.node("second"), tokenHash: token, certify: Self.certificate)
            #expect(Self.number(again) == 2)
            // Its new certificate has taken the place of the one that was lost.
            let later = try await store.fingerprints()
            #expect(later.count == 2)
            #expect(Set(later).intersection(first).count == 1)
            #expect(
                try await store.admit(Self.node("second", key: 5), tokenHash: token, certify: Self.certificate)
                    == .usedToken)
            #expect(
                try await store.admit(Self.node("third"), tokenHash: token, certify: Self.certificate) == .usedToken)
        }
    }

    @Test func aRefusalChangesNothing() async throws {
        try await withDatabase { database in
            let store = try await Self.founded(database)
            let token = try await Self.token(store, 1)
            let expired = try await Self.token(store, 2, lifetime: 0)
            let before = (try await store.members(), try await store.tokens(), try await store.fingerprints())
            let attempts: [(String, [UInt8], ClusterStore.Admission)] = [
                ("second", Self.bytes(99, 32), .unknownToken), ("second", expired, .expiredToken),
                ("first", token, .nameTaken),
            ]
            for (name, hash, expected) in attempts {
                #expect(
                    try await store.admit(Self.node(name), tokenHash: hash, certify: Self.certificate) == expected)
            }
            #expect(
                try await store.admit(Self.node("second"), tokenHash: token, certify: { _ in nil }) == .notCertified)
            #expect(try await store.members() == before.0)
            #expect(try await store.tokens() == before.1)
            #expect(try await store.fingerprints() == before.2)
            let admitted = try await store.admit(Self.node("second"), tokenHash: token, certify: Self.certificate)
            #expect(Self.number(admitted) == 2)
        }
    }

    /// Everybody at once: each token lets one in, each name and each number is given once.
    @Test func joinsAtOnce() async throws {
        let database = try await TestPostgres.shared.database().open(connections: 6)
        let store = try await Self.founded(database)
        let shared = try await Self.token(store, 100)
        var hashes: [[UInt8]] = []
        for value: UInt8 in 0..<12 { hashes.append(try await Self.token(store, value)) }
        let results = try await withThrowingTaskGroup(of: (String, ClusterStore.Admission).self) { group in
            for value: UInt8 in 0..<12 {
                // Four nodes want the same name; each has a token of its own.
                let name = value < 4 ? "same" : "n\(value)"
                let own = hashes[Int(value)]
                group.addTask {
                    (
                        name,
                        try await store.admit(Self.node(name, key: value), tokenHash: own, certify: Self.certificate)
                    )
                }
                // All want the shared token.
                group.addTask {
                    let node = Self.node("shared-\(value)", key: value)
                    return (
                        node.name, try await store.admit(node, tokenHash: shared, certify: Self.certificate)
                    )
                }
            }
            var results: [(String, ClusterStore.Admission)] = []
            for try await result in group { results.append(result) }
            return results
        }
        let admitted = results.compactMap { name, admission in Self.number(admission).map { (name, $0) } }
        #expect(admitted.filter { $0.0 == "same" }.count == 1)
        #expect(admitted.filter { $0.0.hasPrefix("shared") }.count == 1)
        #expect(admitted.count == 10)
        #expect(Set(admitted.map(\.1)) == Set(2...11))
        #expect(results.filter { $0.1 == .usedToken }.count == 11)
        #expect(results.filter { $0.1 == .nameTaken }.count == 3)
        await database.close()
    }

    @Test func aRemovedNodeIsOutAndItsNameIsFree() async throws {
        try await withDatabase { database in
            let store = try await Self.founded(database)
            let leases = LeaseStore(database)
            let token = try await Self.token(store, 1)
            _ = try await store.admit(Self.node("second"), tokenHash: token, certify: Self.certificate)
            let second = try await leases.register(node: 2, name: "second", lanes: 1, at: .now()).identity
            #expect(try await store.remove(nodeNamed: "nobody") == .unknown)
            #expect(try await store.remove(nodeNamed: "second") == .alive)

            try await database.run(Statement(Self.silence, [.int(2)]))
            #expect(try await store.remove(nodeNamed: "second") == .removed(wasMember: true))
            #expect(try await store.remove(nodeNamed: "second") == .removed(wasMember: false))
            #expect(try await store.fingerprints().count == 1)
            #expect(try await store.members().map(\.node.name) == ["first"])
            await #expect(throws: StoreError.fenced) {
                _ = try await leases.heartbeat(second, highWaterMilliseconds: 0)
            }
            await #expect(throws: StoreError.fenced) {
                _ = try await leases.register(node: 2, name: "second", lanes: 1, at: .now())
            }
            await #expect(throws: StoreError.fenced) { try await store.add(Self.certificate(), ofNode: 2) }
            // Its token is of no use to it any more, and its name may be another's.
            #expect(
                try await store.admit(Self.node("second"), tokenHash: token, certify: Self.certificate) == .usedToken)
            let next = try await Self.token(store, 2)
            let admitted = try await store.admit(Self.node("second"), tokenHash: next, certify: Self.certificate)
            #expect(Self.number(admitted) == 3)
        }
    }

    /// With every number given, that of a removed node is given anew: above its ids, and above whatever still runs.
    @Test func numbersComeBackWhenThereAreNoOthers() async throws {
        try await withDatabase { database in
            let store = try await Self.founded(database)
            let leases = LeaseStore(database)
            try await database.run(Statement(Self.fill))
            let token = try await Self.token(store, 1)
            #expect(try await store.admit(Self.node("new"), tokenHash: token, certify: Self.certificate) == .full)

            let old = try await leases.register(node: 500, name: "node-500", lanes: 1, at: .now())
            try await database.run(Statement(Self.silence, [.int(500)]))
            #expect(try await store.remove(nodeNamed: "node-500") == .removed(wasMember: true))
            let admitted = try await store.admit(Self.node("new"), tokenHash: token, certify: Self.certificate)
            #expect(Self.number(admitted) == 500)
            await #expect(throws: StoreError.fenced) {
                _ = try await leases.heartbeat(old.identity, highWaterMilliseconds: 0)
            }
            let new = try await leases.register(node: 500, name: "new", lanes: 1, at: .now())
            #expect(new.idFloorMilliseconds == old.idHighWaterMilliseconds)
            #expect(new.identity.incarnation > old.identity.incarnation)
        }
    }

    @Test func aNewClusterTakesThePlaceOfOneThatIsOver() async throws {
        try await withDatabase { database in
            let store = ClusterStore(database)
            let other = ClusterRow(id: Self.bytes(7, 16), authority: Self.bytes(8, 32))
            @Sendable func successor(_ number: UInt16) -> ClusterStore.Successor? {
                ClusterStore.Successor(
                    cluster: other, node: Self.node("first", key: 3), certificate: Self.certificate())
            }
            #expect(try await store.succeed(successor) == .nothingThere)
            _ = try await Self.founded(database)
            let token = try await Self.token(store, 1)
            _ = try await store.admit(Self.node("second"), tokenHash: token, certify: Self.certificate)
            let unused = try await Self.token(store, 2)
            let leases = LeaseStore(database)
            let first = try await leases.register(node: 1, name: "first", lanes: 1, at: .now()).identity
            let slots = try await leases.acquire([Slot(of: Snowflake(1))], for: first)
            // While a node of it lives nothing is changed, nor where no node can be made.
            let before = try await store.fingerprints()
            #expect(try await store.succeed(successor) == .alive(["first"]))
            try await database.run(Statement(Self.silence, [.int(1)]))
            #expect(try await store.succeed { _ in nil } == .notCertified)
            #expect(try await store.cluster() == Self.home)
            #expect(try await store.fingerprints() == before)
            #expect(try await store.members().map(\.node.name) == ["first", "second"])

            #expect(try await store.succeed(successor) == .begun(3))
            #expect(try await store.cluster() == other)
            #expect(try await store.members().map(\.node.name) == ["first"])
            #expect(try await store.fingerprints().count == 1)
            #expect(try await store.tokens().isEmpty)
            #expect(
                try await store.admit(Self.node("third"), tokenHash: unused, certify: Self.certificate) == .unknownToken
            )
            // Whoever was a member is none any more, and epochs go on growing.
            await #expect(throws: StoreError.fenced) {
                _ = try await leases.register(node: 1, name: "first", lanes: 1, at: .now())
            }
            let third = try await leases.register(node: 3, name: "first", lanes: 1, at: .now()).identity
            let taken = try await leases.acquire(Array(slots.keys), for: third)
            #expect(taken.allSatisfy { slot, epoch in slots[slot].map { $0 < epoch } == true })
        }
    }

    @Test func tokensAreBoundedAndRevokedByTheBeginningOfTheirHash() async throws {
        try await withDatabase { database in
            let store = try await Self.founded(database)
            try await database.run(Statement(Self.manyTokens, [.int(ClusterStore.tokenLimit - 1)]))
            let last = try await Self.token(store, 1)
            await #expect(throws: StoreError.overloaded) { _ = try await Self.token(store, 2) }
            #expect(try await !store.revokeToken(hashPrefix: Array(last.prefix(7))))
            #expect(try await store.revokeToken(hashPrefix: Array(last.prefix(8))))
            #expect(try await !store.revokeToken(hashPrefix: Array(last.prefix(8))))
            #expect(try await store.admit(Self.node("x"), tokenHash: last, certify: Self.certificate) == .unknownToken)
            _ = try await Self.token(store, 2)
        }
    }

    @Test func whatIsLongOverIsForgotten() async throws {
        try await withDatabase { database in
            let store = try await Self.founded(database)
            _ = try await Self.token(store, 1, lifetime: -ClusterStore.tokenMemorySeconds - 1)
            _ = try await Self.token(store, 2, lifetime: -1)
            var old = Self.certificate()
            old.expiresAt = Timestamp.now().adding(seconds: -1)
            try await store.add(old, ofNode: 1)
            #expect(try await store.fingerprints().count == 1)
            #expect(try await store.purge() == 2)
            #expect(try await store.purge() == 0)
            #expect(try await store.tokens().map(\.hash) == [Self.bytes(2, 32)])
        }
    }

    private static let silence = PreparedQuery(
        "test.silence", "UPDATE nodes SET heartbeat_at = clock_timestamp() - interval '2 hours' WHERE id = $1", [.int2])
    private static let fill = PreparedQuery(
        "test.fill",
        """
        INSERT INTO nodes (id, name, incarnation, lanes, high_water_ms)
        SELECT number, 'node-' || number, 1, 1, 0 FROM generate_series(2, 1023) AS number
        """)
    private static let manyTokens = PreparedQuery(
        "test.manyTokens",
        """
        INSERT INTO join_tokens (hash, expires_at)
        SELECT sha256(number::text::bytea), clock_timestamp() + interval '1 hour' FROM generate_series(1, $1) AS number
        """, [.int8])
}
