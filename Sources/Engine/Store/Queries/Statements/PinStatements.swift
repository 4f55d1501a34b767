import FluxCore

/// The writes of pins, through the lane of the channel's slot. They go beside the MESSAGE_UPDATE of the message.
extension Statement {
    /// Pins a message; one that is pinned keeps its time, a deleted one is not pinned.
    public static func pin(_ messageID: MessageID, channelID: ChannelID, at moment: Timestamp) -> Statement {
        Statement(Queries.pin, [.id(channelID), .id(messageID), .timestamp(moment)])
    }

    /// Takes a pin away.
    public static func unpin(_ messageID: MessageID, channelID: ChannelID) -> Statement {
        Statement(Queries.unpin, [.id(channelID), .id(messageID)])
    }

    private enum Queries {
        static let pin = PreparedQuery(
            "pins.pin",
            """
            UPDATE messages SET pinned_at = $3
            WHERE channel_id = $1 AND id = $2 AND pinned_at IS NULL AND deleted_seq IS NULL
            """, [.int8, .int8, .timestamptz])

        static let unpin = PreparedQuery(
            "pins.unpin", "UPDATE messages SET pinned_at = NULL WHERE channel_id = $1 AND id = $2", [.int8, .int8])
    }
}
