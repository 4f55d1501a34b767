import FluxCore
import Hummingbird
import NIOCore

/// Sends JSON lines as the body of an answer, many in one piece.
public final class ProvisionWriter {
    private static let piece = 64 << 10

    private var writer: any ResponseBodyWriter
    private var buffer = ByteBuffer()

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    /// One person.
    func person(
        id: UserID, username: String, accessToken: String, guildIDs: [GuildID], channelIDs: [ChannelID]
    ) async throws {
        var line = JSONWriter()
        line.beginObject()
        line.key("user_id")
        line.snowflake(id)
        line.key("username")
        line.string(username)
        line.key("access_token")
        line.string(accessToken)
        line.key("guild_ids")
        line.beginArray()
        for id in guildIDs { line.snowflake(id) }
        line.endArray()
        line.key("channel_ids")
        line.beginArray()
        for id in channelIDs { line.snowflake(id) }
        line.endArray()
        line.endObject()
        try await append(line.bytes)
    }

    /// The last line of an answer that is not complete.
    func fail(_ message: String) async throws {
        var line = JSONWriter()
        line.beginObject()
        line.key("error")
        line.string(message)
        line.endObject()
        try await append(line.bytes)
    }

    /// Sends the rest.
    func finish() async throws {
        if buffer.readableBytes > 0 { try await writer.write(buffer) }
        try await writer.finish(nil)
    }

    private func append(_ line: [UInt8]) async throws {
        buffer.writeBytes(line)
        buffer.writeInteger(UInt8(ascii: "\n"))
        guard buffer.readableBytes >= Self.piece else { return }
        try await writer.write(buffer)
        buffer.clear(minimumCapacity: Self.piece)
    }
}
