import FluxCore

extension Channels {
    /// How many of a channel's newest log entries are looked through for voids. An owner takes back what it has shown in vain
    /// straight behind the void, so what is left to do when it dies lies at the end of the log.
    static let voidHorizon = 256

    /// Messages that were shown in a state which never came to be, while the owner that showed them died before it could say
    /// so: their void entries have no later entry that says what the same message is, or that it is gone. A reaction says
    /// neither. By channel, in the order of the voids.
    public func unansweredVoids(of channels: [ChannelID]) async throws(StoreError) -> [ChannelID: [MessageID]] {
        guard !channels.isEmpty else { return [:] }
        let rows = try await database.run(
            Statement(VoidQueries.unanswered, [.ids(channels), .int(Self.voidHorizon)]))
        var found: [ChannelID: [MessageID]] = [:]
        for row in rows {
            let channel: ChannelID = try row.id(0)
            var messages: [MessageID] = []
            if let message: MessageID = try row.optionalID(1) {
                messages = [message]
            } else if let listed = (try? JSON.parse(try row.bytes(2)))?.arrayValue {
                messages = listed.compactMap { $0.snowflakeValue }
            }
            for message in messages where found[channel]?.contains(message) != true {
                found[channel, default: []].append(message)
            }
        }
        return found
    }

    private enum VoidQueries {
        static let unanswered = PreparedQuery(
            "channels.unansweredVoids",
            """
            SELECT log.channel_id, log.message_id, log.payload
            FROM unnest($1) AS wanted (channel_id)
            CROSS JOIN LATERAL (
                SELECT channel_id, seq, kind, message_id, payload FROM channel_log
                WHERE channel_id = wanted.channel_id ORDER BY seq DESC LIMIT $2) AS log
            WHERE log.kind = \(LoggedEntry.voidKind) AND (log.message_id IS NOT NULL OR length(log.payload) > 0)
                AND NOT EXISTS (
                    SELECT FROM channel_log AS later
                    WHERE later.channel_id = log.channel_id AND later.seq > log.seq
                        AND later.message_id = log.message_id
                        AND later.kind IN (\(EventKind.messageUpdate.rawValue), \(EventKind.messageDelete.rawValue)))
            ORDER BY log.channel_id, log.seq
            """, [.int8Array, .int4])
    }
}
