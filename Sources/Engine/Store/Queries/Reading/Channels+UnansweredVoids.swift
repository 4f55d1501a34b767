import FluxCore

extension Channels {
    /// How many of a channel's newest numbers are looked through for voids. An owner takes back what it has shown in vain
    /// straight behind the void, so what is left to do when it dies lies at the end of the log: in its last batches.
    static let voidHorizon = 8_192

    /// What of the newest entries of these channels' logs was shown in vain and not taken back. Channels without are missing; one in
    /// which reactions were cleared in vain is there until the void is far back, as the log does not say which those were.
    public func unansweredVoids(of channels: [ChannelID]) async throws(StoreError) -> [ChannelID: UnansweredVoids] {
        guard !channels.isEmpty else { return [:] }
        let rows = try await database.run(
            Statement(VoidQueries.sinceFirst, [.ids(channels), .int(Self.voidHorizon)]))
        var found: [ChannelID: UnansweredVoids] = [:]
        for row in rows {
            let channel: ChannelID = try row.id(0)
            let (message, payload): (MessageID?, [UInt8]) = (try row.optionalID(2), try row.bytes(3))
            let kind = UInt8(exactly: try row.integer(1) as Int64)
            if kind == LoggedEntry.voidKind {
                let subject = EventSubject(voidIn: channel, messageID: message, payload: payload)
                if let subject { found[channel, default: UnansweredVoids()].failed(subject) }
            } else if let kind = kind.flatMap(EventKind.init(rawValue:)) {
                let subject = EventSubject(of: kind, in: channel, messageID: message, payload: payload)
                if let subject { found[channel]?.told(subject) }
            }
        }
        return found.filter { !$0.value.isEmpty }
    }

    /// Those of these channels that have voids among their newest entries, whether answered or not, ascending.
    public func withVoids(among channels: [ChannelID]) async throws(StoreError) -> [ChannelID] {
        guard !channels.isEmpty else { return [] }
        let rows = try await database.run(Statement(VoidQueries.any, [.ids(channels), .int(Self.voidHorizon)]))
        return try rows.map { row throws(StoreError) in try row.id(0) }
    }

    enum VoidQueries {
        static let any = PreparedQuery(
            "channels.withVoids",
            """
            SELECT wanted.channel_id FROM unnest($1) AS wanted (channel_id)
            CROSS JOIN LATERAL (
                SELECT seq FROM channel_log WHERE channel_id = wanted.channel_id ORDER BY seq DESC LIMIT 1) AS newest
            CROSS JOIN LATERAL (
                SELECT seq FROM channel_log
                WHERE channel_id = wanted.channel_id AND kind = \(LoggedEntry.voidKind) ORDER BY seq DESC LIMIT 1
            ) AS void
            WHERE void.seq > newest.seq - $2 ORDER BY wanted.channel_id
            """, [.int8Array, .int4])

        /// A MESSAGE_UPDATE or MESSAGE_DELETE is told by its message's id alone.
        static let sinceFirst = PreparedQuery(
            "channels.unansweredVoids",
            """
            WITH opened AS MATERIALIZED (
                SELECT wanted.channel_id, (
                    SELECT min(seq) FROM channel_log
                    WHERE channel_id = wanted.channel_id AND kind = \(LoggedEntry.voidKind) AND seq > newest.seq - $2
                ) AS seq
                FROM unnest($1) AS wanted (channel_id)
                CROSS JOIN LATERAL (
                    SELECT seq FROM channel_log WHERE channel_id = wanted.channel_id ORDER BY seq DESC LIMIT 1) AS newest
            )
            SELECT log.channel_id, log.kind, log.message_id,
                CASE WHEN log.kind IN (\(told(withBody: false))) THEN ''::bytea ELSE log.payload END
            FROM opened CROSS JOIN LATERAL (
                SELECT channel_id, seq, kind, message_id, payload FROM channel_log
                WHERE channel_id = opened.channel_id AND seq >= opened.seq ORDER BY seq LIMIT $2) AS log
            WHERE opened.seq IS NOT NULL AND log.kind IN (\(LoggedEntry.voidKind), \(told(withBody: false)), \(told(withBody: true)))
            ORDER BY log.channel_id, log.seq
            """, [.int8Array, .int4])

        private static func told(withBody: Bool) -> String {
            let kinds: [EventKind] =
                withBody
                ? [
                    .messageDeleteBulk, .messageReactionAdd, .messageReactionRemove, .messageReactionRemoveAll,
                    .messageReactionRemoveEmoji,
                ] : [.messageUpdate, .messageDelete]
            return kinds.map { String($0.rawValue) }.joined(separator: ", ")
        }
    }
}
