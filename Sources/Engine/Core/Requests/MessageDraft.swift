/// A message as its sender wants it: the body of a message create, checked by itself (protocol 5.5). What it refers to is
/// checked by the channel.
public struct MessageDraft: Sendable, Equatable {
    /// `message_reference` as it was given.
    public struct Reference: Sendable, Equatable {
        public var kind: MessageReference.Kind
        public var messageID: MessageID
        /// Nil means the channel in which the message is sent.
        public var channelID: ChannelID?
        public var guildID: GuildID?
        /// Whether an unknown target refuses the message; else it is sent without.
        public var failIfNotExists: Bool

        public init(
            kind: MessageReference.Kind = .reply, messageID: MessageID, channelID: ChannelID? = nil,
            guildID: GuildID? = nil, failIfNotExists: Bool = true
        ) {
            self.kind = kind
            self.messageID = messageID
            self.channelID = channelID
            self.guildID = guildID
            self.failIfNotExists = failIfNotExists
        }
    }

    public var content: String
    /// A string or a whole number, to be returned as it came.
    public var nonce: JSON?
    /// Whether a repeat of the nonce answers with the first message.
    public var enforceNonce: Bool
    public var tts: Bool
    /// An array of objects, each with its `type`.
    public var embeds: JSON
    /// Nil where the sender said nothing.
    public var allowedMentions: AllowedMentions?
    public var reference: Reference?
    /// An array.
    public var components: JSON
    public var stickerIDs: [Snowflake]
    public var attachments: [AttachmentPlaceholder]
    /// Those of `MessageLimits.senderFlags` that were asked for.
    public var flags: Int

    public init(
        content: String, nonce: JSON? = nil, enforceNonce: Bool = false, tts: Bool = false, embeds: JSON = .array([]),
        allowedMentions: AllowedMentions? = nil, reference: Reference? = nil, components: JSON = .array([]),
        stickerIDs: [Snowflake] = [], attachments: [AttachmentPlaceholder] = [], flags: Int = 0
    ) {
        self.content = content
        self.nonce = nonce
        self.enforceNonce = enforceNonce
        self.tts = tts
        self.embeds = embeds
        self.allowedMentions = allowedMentions
        self.reference = reference
        self.components = components
        self.stickerIDs = stickerIDs
        self.attachments = attachments
        self.flags = flags
    }

    /// Reads a body; 400/50035 lists everything that is wrong with it.
    public init(json: JSON) throws(APIError) {
        var reader = BodyReader(json)
        content = reader.string("content", length: 0...MessageLimits.content).value ?? ""
        nonce = MessageFields.nonce(from: &reader, json["nonce"])
        enforceNonce = reader.bool("enforce_nonce").value ?? false
        tts = reader.bool("tts").value ?? false
        embeds = MessageFields.embeds(from: &reader) ?? .array([])
        allowedMentions = AllowedMentions.read(from: &reader)
        reference = Self.reference(from: &reader)
        components = MessageFields.components(from: &reader) ?? .array([])
        stickerIDs = reader.snowflakes("sticker_ids", count: 0...MessageLimits.stickers).value ?? []
        attachments = AttachmentPlaceholder.list(from: &reader) ?? []
        flags = (reader.integer("flags", in: 0...Int(Int32.max)).value ?? 0) & MessageLimits.senderFlags
        try reader.finish()
    }

    /// The nonce as the text under which repeats are recognised; a number and its decimal form are the same.
    public var nonceText: String? {
        MessageFields.text(ofNonce: nonce)
    }

    /// Refuses a message that holds nothing (50006).
    public func checkNotEmpty(fileCount: Int) throws(APIError) {
        let holdsSomething =
            !MessageFields.isBlank(content) || embeds != .array([]) || components != .array([]) || !stickerIDs.isEmpty
            || fileCount > 0 || reference?.kind == .forward
        guard holdsSomething else { throw .emptyMessage }
    }

    private static func reference(from reader: inout BodyReader) -> Reference? {
        guard let json = reader.object("message_reference").value else { return nil }
        var inner = BodyReader(json, path: ["message_reference"])
        let messageID = inner.require("message_id", inner.snowflake("message_id"))
        let channelID = inner.snowflake("channel_id").value
        let guildID = inner.snowflake("guild_id").value
        let failIfNotExists = inner.bool("fail_if_not_exists").value ?? true
        let kind = inner.choice("type", of: [0, 1]).value.flatMap(MessageReference.Kind.init(rawValue:)) ?? .reply
        reader.merge(inner)
        return messageID.map {
            Reference(
                kind: kind, messageID: $0, channelID: channelID, guildID: guildID, failIfNotExists: failIfNotExists)
        }
    }
}
