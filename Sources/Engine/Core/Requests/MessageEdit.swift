/// A change of a message as its sender wants it (protocol 5.5). Nil fields stay as they are.
public struct MessageEdit: Sendable, Equatable {
    /// Empty where null was given.
    public var content: String?
    /// An array of objects, each with its `type`.
    public var embeds: JSON?
    public var allowedMentions: AllowedMentions?
    /// An array.
    public var components: JSON?
    /// What to keep by real id, and new files by placeholder.
    public var attachments: [AttachmentPlaceholder]?
    public var flags: Int?

    public init(
        content: String? = nil, embeds: JSON? = nil, allowedMentions: AllowedMentions? = nil, components: JSON? = nil,
        attachments: [AttachmentPlaceholder]? = nil, flags: Int? = nil
    ) {
        self.content = content
        self.embeds = embeds
        self.allowedMentions = allowedMentions
        self.components = components
        self.attachments = attachments
        self.flags = flags
    }

    /// Reads a body; 400/50035 lists everything that is wrong with it.
    public init(json: JSON) throws(APIError) {
        var reader = BodyReader(json)
        switch reader.string("content", length: 0...MessageLimits.content) {
        case .absent: content = nil
        case .null: content = ""
        case .value(let text): content = text
        }
        embeds = MessageFields.embeds(from: &reader)
        allowedMentions = AllowedMentions.read(from: &reader)
        components = MessageFields.components(from: &reader)
        attachments = AttachmentPlaceholder.list(from: &reader)
        flags = reader.integer("flags", in: 0...Int(Int32.max)).value.map { $0 & MessageLimits.senderFlags }
        try reader.finish()
    }

    /// Whether nothing but flags is changed, which those who manage messages may do to others' messages.
    public var changesFlagsOnly: Bool {
        flags != nil && content == nil && embeds == nil && allowedMentions == nil && components == nil
            && attachments == nil
    }
}
