import FluxCore
import FluxStore
import FluxTestSupport
import Logging
import Testing

@testable import FluxOps

@Suite("Housekeeping")
struct HousekeepingTests {
    private static let fill = PreparedQuery(
        "test.fill",
        """
        INSERT INTO channel_log (channel_id, seq, epoch, message_id, created_at, kind, payload)
        SELECT 1, n, 1, NULL, now() - CASE WHEN n <= $1 THEN interval '8 days' ELSE interval '6 days' END, 1, ''
        FROM generate_series(1, $1 + 3) AS n
        """, [.int8])

    private static let left = PreparedQuery(
        "test.left",
        """
        SELECT count(*) AS entries, min(seq) AS first,
            (SELECT max(seq) FROM channel_floors WHERE channel_id = 1) AS floor,
            (SELECT count(*) FROM pg_inherits WHERE inhparent = 'messages'::regclass) AS partitions
        FROM channel_log
        """)

    @Test("A round removes what is older than seven days, in as many pieces as it takes, and makes partitions ahead")
    func round() async throws {
        let database = try await TestPostgres.shared.database().open()
        let old = Int64(2 * Maintenance.pieceSize + 1)
        try await database.run(Statement(Self.fill, [.int(old)]))
        let before = try await database.run(Statement(Self.left))[0]
        let housekeeping = Housekeeping(database, logger: TestDatabase.silence)
        await housekeeping.round(at: .now())
        let after = try await database.run(Statement(Self.left))[0]
        #expect(try before.int("entries") == old + 3)
        #expect(try after.int("entries") == 3)
        #expect(try after.int("first") == old + 1)
        // The numbers that are gone are never given again.
        #expect(try after.int("floor") == old)

        // Four months on: two partitions of 50 days each have to be there that were not.
        await housekeeping.round(at: Timestamp.now().adding(seconds: 120 * 86_400))
        let later = try await database.run(Statement(Self.left))[0]
        #expect(try later.int("partitions") > after.int("partitions"))
        await database.close()
    }

    @Test("Postgres away: the round ends and says so, nothing is thrown")
    func away() async throws {
        let database = try await TestPostgres.shared.database().open()
        await database.close()
        await Housekeeping(database, logger: TestDatabase.silence).round(at: .now())
    }
}
