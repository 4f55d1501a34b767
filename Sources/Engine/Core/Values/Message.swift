/// A message as it is stored (protocol 6.5). Users are referred to by id and passed in when it is written.
public struct Message: Sendable, Equatable {
    public var id: MessageID
    public var channelID: ChannelID
    /// Nil in a direct conversation.
    public var guildID: GuildID?
    public var authorID: UserID
    public var kind: MessageKind
    public var content: String
    public var editedAt: Timestamp?
    public var tts: Bool
    public var pinned: Bool
    public var mentionEveryone: Bool
    public var mentions: [UserID]
    public var mentionRoles: [RoleID]
    public var attachments: [Attachment]
    /// An array.
    public var embeds: JSON
    /// An array.
    public var components: JSON
    public var stickerIDs: [Snowflake]
    public var flags: Int
    /// A string or a whole number, as the sender gave it.
    public var nonce: JSON?
    public var reference: MessageReference?
    public var webhookID: WebhookID?
    public var applicationID: ApplicationID?
    /// The channel's number of its creation.
    public var seq: SequenceNumber
    /// The epoch of `seq`.
    public var epoch: Epoch

    public init(
        id: MessageID, channelID: ChannelID, guildID: GuildID? = nil, authorID: UserID, kind: MessageKind = .plain,
        content: String = "", editedAt: Timestamp? = nil, tts: Bool = false, pinned: Bool = false,
        mentionEveryone: Bool = false, mentions: [UserID] = [], mentionRoles: [RoleID] = [],
        attachments: [Attachment] = [], embeds: JSON = .array([]), components: JSON = .array([]),
        stickerIDs: [Snowflake] = [], flags: Int = 0, nonce: JSON? = nil, reference: MessageReference? = nil,
        webhookID: WebhookID? = nil, applicationID: ApplicationID? = nil, seq: SequenceNumber, epoch: Epoch
    ) {
        self.id = id
        self.channelID = channelID
        self.guildID = guildID
        self.authorID = authorID
        self.kind = kind
        self.content = content
        self.editedAt = editedAt
        self.tts = tts
        self.pinned = pinned
        self.mentionEveryone = mentionEveryone
        self.mentions = mentions
        self.mentionRoles = mentionRoles
        self.attachments = attachments
        self.embeds = embeds
        self.components = components
        self.stickerIDs = stickerIDs
        self.flags = flags
        self.nonce = nonce
        self.reference = reference
        self.webhookID = webhookID
        self.applicationID = applicationID
        self.seq = seq
        self.epoch = epoch
    }

    /// When it was sent, as its id says.
    public var createdAt: Timestamp {
        id.timestamp
    }
}
