extension Message {
    /// What stands for the message that this one answers.
    public enum Referenced: Sendable, Equatable {
        /// This is no reply: the key is left out.
        case absent
        /// It was deleted, or the reader may not see it: null.
        case deleted
        /// The whole message, encoded.
        case message([UInt8])
    }

    /// What the events of a guild carry besides.
    public struct GuildContext: Sendable, Equatable {
        public var guildID: GuildID
        /// The author's member object without its user, encoded; nil for a webhook or one who has left.
        public var member: [UInt8]?

        public init(guildID: GuildID, member: [UInt8]?) {
            self.guildID = guildID
            self.member = member
        }
    }

    /// Writes the message object.
    ///
    /// - Parameters:
    ///   - author: the author, or for a webhook its face.
    ///   - mentions: the users of `mentions`; those who are unknown may be missing.
    ///   - reactions: as the reader sees them; left out when empty.
    ///   - referenced: what stands for the message answered.
    ///   - guildEvent: in events of a guild's channel its id and the author's member; nil over REST and in a direct
    ///     conversation.
    ///   - mediaBase: the origin before `/attachments/…`.
    public func write(
        to writer: inout JSONWriter, author: User, mentions: [User], reactions: [ReactionCount] = [],
        referenced: Referenced = .absent, guildEvent: GuildContext? = nil, mediaBase: String
    ) {
        writer.beginObject()
        writer.field("id", id)
        writer.field("channel_id", channelID)
        writer.key("author")
        author.write(to: &writer)
        writer.field("content", content)
        writer.field("timestamp", createdAt)
        writer.field("edited_timestamp", editedAt)
        writer.field("tts", tts)
        writer.field("pinned", pinned)
        writer.field("mention_everyone", mentionEveryone)
        writer.key("mentions")
        writer.beginArray()
        for user in mentions { user.write(to: &writer) }
        writer.endArray()
        writer.field("mention_roles", mentionRoles)
        writer.key("attachments")
        writer.beginArray()
        for attachment in attachments { attachment.write(to: &writer, base: mediaBase, channelID: channelID) }
        writer.endArray()
        writer.field("embeds", embeds)
        writer.field("components", components)
        writer.field("type", kind.rawValue)
        writer.field("flags", flags)
        if !reactions.isEmpty {
            writer.key("reactions")
            writer.beginArray()
            for reaction in reactions { reaction.write(to: &writer) }
            writer.endArray()
        }
        if let nonce { writer.field("nonce", nonce) }
        if let reference {
            writer.key("message_reference")
            reference.write(to: &writer)
        }
        switch referenced {
        case .absent: break
        case .deleted: writer.nullField("referenced_message")
        case .message(let encoded): writer.field("referenced_message", raw: encoded)
        }
        if let webhookID { writer.field("webhook_id", webhookID) }
        if let applicationID { writer.field("application_id", applicationID) }
        if !stickerIDs.isEmpty { writer.field("sticker_ids", stickerIDs) }
        if let guildEvent {
            writer.field("guild_id", guildEvent.guildID)
            if let member = guildEvent.member { writer.field("member", raw: member) }
        }
        writer.field("seq", seq)
        writer.field("epoch", epoch)
        writer.endObject()
    }
}
