import FluxCore

/// The `d` of op 101 (protocol 10.2).
enum SendAcknowledgement {
    static func accepted(_ sent: Sent, nonce: String, channelID: ChannelID) -> [UInt8] {
        object(nonce, channelID) { writer in
            writer.field("id", sent.id)
            writer.field("seq", sent.sequence)
            writer.field("epoch", sent.epoch)
            writer.field("timestamp", sent.id.timestamp)
        }
    }

    static func refused(_ error: APIError, nonce: String, channelID: ChannelID) -> [UInt8] {
        object(nonce, channelID) { writer in
            writer.key("error")
            writer.beginObject()
            // A rate limit has no code of its own over REST; here it goes by its status.
            writer.field("code", error.status == 429 ? 429 : error.code)
            writer.field("message", error.message)
            if let retryAfter = error.retryAfter {
                writer.key("retry_after")
                writer.double(retryAfter)
            }
            writer.endObject()
        }
    }

    private static func object(
        _ nonce: String, _ channelID: ChannelID, _ fields: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("nonce", nonce)
        writer.field("channel_id", channelID)
        fields(&writer)
        writer.endObject()
        return writer.bytes
    }
}
