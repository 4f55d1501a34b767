import FluxCore
import Testing

@testable import FluxStore

/// Hot queries go through an index whatever the size of the table: none reads a whole table, and none sorts a whole
/// channel to return one page.
struct PlanTests {
    /// Every query that runs per request or per session, and the lanes' own.
    private static let hot: [PreparedQuery] = [
        Messages.Queries.before, Messages.Queries.from, Messages.Queries.batch, Messages.Queries.sequences,
        Messages.Queries.stored, ChannelEvents.Queries.after, Channels.Queries.batch,
        Channels.Queries.place, Channels.Queries.find, Channels.Queries.tail, Channels.Queries.nonces,
        MessageReactions.Queries.counts, MessageReactions.Queries.users, MessageReactions.Queries.all,
        MessageReactions.Queries.standing,
        Channels.VoidQueries.sinceFirst, Channels.VoidQueries.any, Pins.Queries.list, ReadStates.Queries.list,
        Users.Queries.batch,
        Users.Queries.named, Users.Queries.search,
        Accounts.Queries.byUsername, Accounts.Queries.byEmail, Logins.Queries.rotate, Logins.Queries.ended,
        Logins.Queries.current, Memberships.Queries.guildIDs, Memberships.Queries.guildsForward,
        Memberships.Queries.member, Memberships.Queries.members, GuildLoading.Queries.channels,
        GuildLoading.Queries.members, Outbox.Queries.pending, Outbox.Queries.pendingForKey,
        Relationships.Queries.list, DirectMessages.Queries.list, Bans.Queries.find, Bans.Queries.forward,
        Invites.Queries.find, Applications.Queries.token, PerformedCommands.Queries.find,
    ]

    @Test func noHotQueryReadsAWholeTable() async throws {
        try await withDatabase { database in
            try await fill(database)
            for query in Self.hot {
                let plan = try await plan(of: query, in: database)
                // The partition without an upper bound is empty by design; reading its no pages is the cheapest there is.
                let scans = plan.filter { $0.contains("Seq Scan") && !$0.contains("_future ") }
                #expect(scans.isEmpty, "\(query.name):\n\(plan.joined(separator: "\n"))")
            }
        }
    }

    @Test func aPageOfHistoryComesInTheOrderOfTheIndex() async throws {
        try await withDatabase { database in
            try await fill(database)
            for query in [Messages.Queries.before, Messages.Queries.from, Channels.Queries.tail] {
                let plan = try await plan(of: query, in: database)
                #expect(!plan.contains { $0.contains("Sort") }, "\(query.name):\n\(plan.joined(separator: "\n"))")
            }
        }
    }

    /// The plan that is made without knowing the parameters, as a connection keeps it.
    private func plan(of query: PreparedQuery, in database: Database) async throws -> [String] {
        let types = query.parameterTypes.map { type -> String in
            let name = "\(type)"
            return name.hasSuffix("Array") ? "\(name.dropLast(5))[]" : name
        }
        let declaration = types.isEmpty ? "" : "(\(types.joined(separator: ", ")))"
        let nulls = types.isEmpty ? "" : "(\(types.map { _ in "NULL" }.joined(separator: ", ")))"
        let lines = try await database.transaction { transaction throws(StoreError) in
            try transaction.run(Statement(PreparedQuery("plan.mode", "SET LOCAL plan_cache_mode = force_generic_plan")))
            try transaction.run(
                Statement(PreparedQuery("plan.prepare.\(query.name)", "PREPARE asked\(declaration) AS \(query.sql)")))
            let lines = try transaction.run(
                Statement(PreparedQuery("plan.explain.\(query.name)", "EXPLAIN EXECUTE asked\(nulls)")))
            // Here and not later: only this connection has prepared it.
            try transaction.run(Statement(PreparedQuery("plan.deallocate", "DEALLOCATE asked")))
            return lines
        }
        return try lines.map { try $0.text(0) }
    }

    /// Enough rows that reading a whole table is never the cheapest, spread as in use, with statistics.
    private func fill(_ database: Database) async throws {
        let script = [
            """
            INSERT INTO users (id, username, discriminator, is_bot, email, created_at)
            SELECT n, 'person' || n, '0', false, n || '@example.org', now() FROM generate_series(1, 20000) n
            """,
            "INSERT INTO passwords SELECT n, 'hash', now() FROM generate_series(1, 20000) n",
            "INSERT INTO guilds (id, owner_id, name, created_at) SELECT n, 1, 'g', now() FROM generate_series(1, 5000) n",
            "INSERT INTO channels (id, guild_id, kind) SELECT n, n % 5000 + 1, 0 FROM generate_series(1, 20000) n",
            """
            INSERT INTO members (guild_id, user_id, joined_at) SELECT n % 5000 + 1, n % 19997 + 1, now()
            FROM generate_series(1, 100000) n ON CONFLICT DO NOTHING
            """,
            """
            INSERT INTO messages (channel_id, id, seq, epoch, author_id, flags, kind, tts, mention_everyone, content,
                mentions)
            SELECT n % 500 + 1, (n % 4 - 2 + 87)::bigint << 54 | n, n / 500 + 1, 1, 1, 0, 0, false, false, 'text',
                CASE WHEN n % 50 = 0 THEN ARRAY[1::bigint] END
            FROM generate_series(1, 100000) n
            """,
            """
            INSERT INTO channel_log (channel_id, seq, epoch, message_id, created_at, kind, payload)
            SELECT n % 500 + 1, n / 500 + 1000, 1, 1, now(), 21, '' FROM generate_series(1, 50000) n
            """,
            """
            INSERT INTO reactions (channel_id, message_id, user_id, seq, emoji_animated, emoji)
            SELECT n % 500 + 1, (n % 4 - 2 + 87)::bigint << 54 | n, n, 1, false, 'x' FROM generate_series(1, 50000) n
            """,
            "INSERT INTO performed_commands SELECT n % 500, n, now(), 200, '' FROM generate_series(1, 20000) n",
            "INSERT INTO channel_floors SELECT n, 1, 1, 1 FROM generate_series(1, 10000) n",
            """
            INSERT INTO read_states (user_id, channel_id, last_message_id) SELECT n % 1000 + 1, n, 1
            FROM generate_series(1, 50000) n
            """,
            "INSERT INTO dm_members SELECT n % 1000 + 1, n, n % 2 = 0, 1 FROM generate_series(1, 20000) n",
            "INSERT INTO bans SELECT n % 100, n, 1, now() FROM generate_series(1, 20000) n",
            """
            INSERT INTO invites (code, guild_id, channel_id, max_age, max_uses, created_at)
            SELECT 'c' || n, n % 5000 + 1, n, 0, 0, now() FROM generate_series(1, 20000) n
            """,
            """
            INSERT INTO relationships (user_id, other_id, kind, since, own_version, own_want, own_dismissed, own_blocks,
                peer_version, peer_want, peer_dismissed, peer_blocks)
            SELECT n % 1000 + 1, n, 1, now(), 1, 1, 0, false, 1, 1, 0, false FROM generate_series(1, 20000) n
            """,
            "INSERT INTO outbox SELECT n, 3, n % 1024, n, now(), '' FROM generate_series(1, 20000) n",
            """
            INSERT INTO logins (id, user_id, created_at, last_used_at, ended_at)
            SELECT n, n % 1000 + 1, now(), now(), CASE WHEN n % 3 = 0 THEN now() - n * interval '1 minute' END
            FROM generate_series(1, 20000) n
            """,
            """
            INSERT INTO refresh_tokens SELECT int8send(n), n, now(), now(), NULL FROM generate_series(1, 20000) n
            """,
            "INSERT INTO bot_tokens SELECT n, int8send(n), now() FROM generate_series(1, 20000) n",
            "ANALYZE",
        ]
        for (index, sql) in script.enumerated() {
            try await database.run(Statement(PreparedQuery("fill.\(index)", sql)), timeout: .seconds(60))
        }
    }
}
