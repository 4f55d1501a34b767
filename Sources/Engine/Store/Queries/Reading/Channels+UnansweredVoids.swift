import FluxCore

extension Channels {
    /// How many of a channel's newest numbers are looked through for voids. An owner takes back what it has shown in vain
    /// straight behind the void, so what is left to do when it dies lies at the end of the log: in its last batches.
    static let voidHorizon = 8_192

    /// What of the newest entries of a channel's log was shown in vain and not taken back. A clear in vain is there until the void is
    /// far back, as the log does not say which reactions it took.
    public func unansweredVoids(of channelID: ChannelID) async throws(StoreError) -> UnansweredVoids {
        let rows = try await database.run(
            Statement(VoidQueries.sinceFirst, [.id(channelID), .int(Self.voidHorizon)]))
        var voids = UnansweredVoids()
        for row in rows {
            let (message, payload): (MessageID?, [UInt8]) = (try row.optionalID(1), try row.bytes(2))
            let kind = UInt8(exactly: try row.integer(0) as Int64)
            if kind == LoggedEntry.voidKind {
                let subject = EventSubject(voidIn: channelID, messageID: message, payload: payload)
                if let subject { voids.failed(subject) }
            } else if let kind = kind.flatMap(EventKind.init(rawValue:)) {
                let subject = EventSubject(of: kind, in: channelID, messageID: message, payload: payload)
                if let subject { voids.told(subject) }
            }
        }
        return voids
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
                SELECT (
                    SELECT min(seq) FROM channel_log
                    WHERE channel_id = $1 AND kind = \(LoggedEntry.voidKind) AND seq > newest.seq - $2
                ) AS seq
                FROM (SELECT seq FROM channel_log WHERE channel_id = $1 ORDER BY seq DESC LIMIT 1) AS newest
            )
            SELECT log.kind, log.message_id,
                CASE WHEN log.kind IN (\(told(withBody: false))) THEN ''::bytea ELSE log.payload END
            FROM opened CROSS JOIN LATERAL (
                SELECT seq, kind, message_id, payload FROM channel_log
                WHERE channel_id = $1 AND seq >= opened.seq ORDER BY seq LIMIT $2) AS log
            WHERE opened.seq IS NOT NULL AND log.kind IN (\(LoggedEntry.voidKind), \(told(withBody: false)), \(told(withBody: true)))
            ORDER BY log.seq
            """, [.int8, .int4])

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
