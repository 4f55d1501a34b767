import FluxCore

/// Bodies of a channel's events (protocol 7.9), with the channel's seq and epoch (10.5). Each is encoded once per event.
struct ChannelEventBody {
    let channelID: ChannelID
    let guildID: GuildID?
    let epoch: Epoch

    func messageDelete(_ id: MessageID, sequence: SequenceNumber) -> [UInt8] {
        object(sequence) { writer in writer.field("id", id) }
    }

    func messageDeleteBulk(_ ids: [MessageID], sequence: SequenceNumber) -> [UInt8] {
        object(sequence) { writer in writer.field("ids", ids) }
    }

    /// - Parameters:
    ///   - authorID: of the message; nil in MESSAGE_REACTION_REMOVE.
    ///   - member: the reacting member with user, encoded; only in guilds, and only when added.
    func reaction(
        _ emoji: Emoji, of userID: UserID, on messageID: MessageID, authorID: UserID?, member: [UInt8]?,
        sequence: SequenceNumber
    ) -> [UInt8] {
        object(sequence) { writer in
            writer.field("user_id", userID)
            writer.field("message_id", messageID)
            if let authorID { writer.field("message_author_id", authorID) }
            if let member { writer.field("member", raw: member) }
            writer.key("emoji")
            emoji.write(to: &writer)
            writer.field("burst", false)
            writer.emptyListField("burst_colors")
            writer.field("type", 0)
        }
    }

    func reactionsCleared(_ emoji: Emoji?, on messageID: MessageID, sequence: SequenceNumber) -> [UInt8] {
        object(sequence) { writer in
            writer.field("message_id", messageID)
            if let emoji {
                writer.key("emoji")
                emoji.write(to: &writer)
            }
        }
    }

    /// - Parameter member: the typing member with user, encoded; only in guilds.
    func typing(_ userID: UserID, atSeconds seconds: Int64, member: [UInt8]?) -> [UInt8] {
        object(nil) { writer in
            writer.field("user_id", userID)
            writer.field("timestamp", seconds)
            if let member { writer.field("member", raw: member) }
        }
    }

    func pinsUpdate(_ lastPinAt: Timestamp?) -> [UInt8] {
        object(nil) { writer in writer.field("last_pin_timestamp", lastPinAt) }
    }

    private func object(_ sequence: SequenceNumber?, _ fields: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("channel_id", channelID)
        if let guildID { writer.field("guild_id", guildID) }
        fields(&writer)
        if let sequence {
            writer.field("seq", sequence)
            writer.field("epoch", epoch)
        }
        writer.endObject()
        return writer.bytes
    }
}
