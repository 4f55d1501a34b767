/// A channel of a guild, or a direct conversation (protocol 6.4).
public struct Channel: Sendable, Equatable {
    public var id: ChannelID
    public var kind: ChannelKind
    /// Nil in a direct conversation.
    public var guildID: GuildID?
    /// Empty where a direct conversation has none.
    public var name: String
    public var position: Int
    public var topic: String?
    /// The category it stands in.
    public var parentID: ChannelID?
    public var nsfw: Bool
    /// Seconds between two messages of one member; 0 is no limit.
    public var slowmodeSeconds: Int
    /// Bits a second of a voice channel.
    public var bitrate: Int
    /// How many may be in a voice channel; 0 is no limit.
    public var userLimit: Int
    public var overwrites: [Overwrite]
    /// Everyone in a direct conversation, oneself included; empty in a guild.
    public var recipients: [UserID]
    /// The owner of a group.
    public var ownerID: UserID?
    /// Image hash of a group.
    public var icon: String?
    public var lastMessageID: MessageID?
    public var lastPinAt: Timestamp?
    /// The greatest number given in this channel (protocol 10.5); 0 before the first.
    public var lastSeq: SequenceNumber
    /// The epoch of `lastSeq`.
    public var epoch: Epoch

    public init(
        id: ChannelID, kind: ChannelKind, guildID: GuildID? = nil, name: String = "", position: Int = 0,
        topic: String? = nil, parentID: ChannelID? = nil, nsfw: Bool = false, slowmodeSeconds: Int = 0,
        bitrate: Int = 64_000, userLimit: Int = 0, overwrites: [Overwrite] = [], recipients: [UserID] = [],
        ownerID: UserID? = nil, icon: String? = nil, lastMessageID: MessageID? = nil, lastPinAt: Timestamp? = nil,
        lastSeq: SequenceNumber = 0, epoch: Epoch = 0
    ) {
        self.id = id
        self.kind = kind
        self.guildID = guildID
        self.name = name
        self.position = position
        self.topic = topic
        self.parentID = parentID
        self.nsfw = nsfw
        self.slowmodeSeconds = slowmodeSeconds
        self.bitrate = bitrate
        self.userLimit = userLimit
        self.overwrites = overwrites
        self.recipients = recipients
        self.ownerID = ownerID
        self.icon = icon
        self.lastMessageID = lastMessageID
        self.lastPinAt = lastPinAt
        self.lastSeq = lastSeq
        self.epoch = epoch
    }

    /// Writes the channel object.
    ///
    /// - Parameter recipients: in a direct conversation the people in it without the one who reads the object; ignored
    ///   in a guild.
    public func write(to writer: inout JSONWriter, recipients: [User] = []) {
        writer.beginObject()
        writer.field("id", id)
        writer.field("type", kind.rawValue)
        if kind.isOfGuild {
            writeGuildFields(to: &writer)
        } else {
            writeDirectFields(to: &writer, recipients: recipients)
        }
        if kind.holdsMessages {
            writer.field("last_message_id", lastMessageID)
            writer.field("last_pin_timestamp", lastPinAt)
            writer.field("last_seq", lastSeq)
            writer.field("epoch", epoch)
        }
        writer.field("flags", 0)
        writer.endObject()
    }

    /// Writes the short form that stands in an invite.
    public func writeBrief(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("id", id)
        writer.field("name", name)
        writer.field("type", kind.rawValue)
        writer.endObject()
    }

    private func writeGuildFields(to writer: inout JSONWriter) {
        if let guildID { writer.field("guild_id", guildID) }
        writer.field("name", name)
        writer.field("position", position)
        writer.field("parent_id", parentID)
        writer.field("nsfw", nsfw)
        writer.key("permission_overwrites")
        writer.beginArray()
        for overwrite in overwrites { overwrite.write(to: &writer) }
        writer.endArray()
        writer.field("topic", topic)
        writer.field("rate_limit_per_user", slowmodeSeconds)
        writer.field("default_auto_archive_duration", 1440)
        if kind == .voice {
            writer.field("bitrate", bitrate)
            writer.field("user_limit", userLimit)
            writer.nullField("rtc_region")
            writer.field("video_quality_mode", 1)
        }
    }

    private func writeDirectFields(to writer: inout JSONWriter, recipients: [User]) {
        writer.key("recipients")
        writer.beginArray()
        for recipient in recipients { recipient.write(to: &writer) }
        writer.endArray()
        if kind == .groupDirectMessage {
            writer.field("owner_id", ownerID)
            writer.field("icon", icon)
            writer.field("name", name.isEmpty ? nil : name)
        }
    }
}
