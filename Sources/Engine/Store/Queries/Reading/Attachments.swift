import FluxCore

/// Files that were uploaded, by the id in their address.
public struct Attachments: Sendable {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// Notes files before the message that will show them is sent.
    public func insert(
        _ attachments: [Attachment], channelID: ChannelID, uploaderID: UserID, at now: Timestamp
    ) async throws(StoreError) {
        guard !attachments.isEmpty else { return }
        try await database.run(
            Statement(
                Queries.insert,
                [
                    .ids(attachments.map(\.id)), .id(channelID), .id(uploaderID),
                    .intArray(attachments.map(\.size)),
                    .optionalIntArray(attachments.map { $0.width.map(Int64.init) }),
                    .optionalIntArray(attachments.map { $0.height.map(Int64.init) }),
                    .textArray(attachments.map(\.filename)), .textArray(attachments.map(\.contentType)),
                    .timestamp(now),
                ]))
    }

    /// A file of a channel, for serving it.
    public func find(_ id: AttachmentID, channelID: ChannelID) async throws(StoreError) -> Attachment? {
        guard let row = try await database.run(Statement(Queries.find, [.id(id), .id(channelID)])).first
        else { return nil }
        return Attachment(
            id: id, filename: try row.text(0), size: try row.int(1), contentType: try row.optionalText(2),
            width: try row.optionalInt(3).map { Int($0) }, height: try row.optionalInt(4).map { Int($0) })
    }

    /// Forgets files whose message was never sent.
    public func delete(_ ids: [AttachmentID]) async throws(StoreError) {
        try await database.run(Statement(Queries.delete, [.ids(ids)]))
    }

    enum Queries {
        static let insert = PreparedQuery(
            "attachments.insert",
            """
            INSERT INTO attachments (id, channel_id, uploader_id, size, width, height, filename, content_type, created_at)
            SELECT id, $2, $3, size, width, height, filename, content_type, $9
            FROM unnest($1, $4, $5, $6, $7, $8) AS new (id, size, width, height, filename, content_type)
            """,
            [
                .int8Array, .int8, .int8, .int8Array, .int4Array, .int4Array, .textArray, .textArray, .timestamptz,
            ])

        static let find = PreparedQuery(
            "attachments.find",
            "SELECT filename, size, content_type, width, height FROM attachments WHERE id = $1 AND channel_id = $2",
            [.int8, .int8])

        static let delete = PreparedQuery(
            "attachments.delete", "DELETE FROM attachments WHERE id = ANY ($1)", [.int8Array])
    }
}
