/// Every event of the gateway (protocol 7.9). The raw value is a stable number for logs and the links between nodes;
/// numbers are never given twice.
public enum EventKind: UInt8, Sendable, CaseIterable {
    case ready = 1
    case resumed = 2
    case guildCreate = 3
    case guildUpdate = 4
    case guildDelete = 5
    case guildRoleCreate = 6
    case guildRoleUpdate = 7
    case guildRoleDelete = 8
    case guildMemberAdd = 9
    case guildMemberUpdate = 10
    case guildMemberRemove = 11
    case guildMembersChunk = 12
    case guildBanAdd = 13
    case guildBanRemove = 14
    case guildEmojisUpdate = 15
    case channelCreate = 16
    case channelUpdate = 17
    case channelDelete = 18
    case channelPinsUpdate = 19
    case messageCreate = 20
    case messageUpdate = 21
    case messageDelete = 22
    case messageDeleteBulk = 23
    case messageReactionAdd = 24
    case messageReactionRemove = 25
    case messageReactionRemoveAll = 26
    case messageReactionRemoveEmoji = 27
    case typingStart = 28
    case presenceUpdate = 29
    case userUpdate = 30
    case messageAck = 31
    case relationshipAdd = 32
    case relationshipUpdate = 33
    case relationshipRemove = 34
    case readReceipt = 35
    case inviteCreate = 36
    case inviteDelete = 37
    case interactionCreate = 38
    case interactionSuccess = 39
    case interactionFailure = 40
    case voiceStateUpdate = 41
    case voiceServerUpdate = 42
    case webhooksUpdate = 43
    case userSettingsUpdate = 44
    case userGuildSettingsUpdate = 45
    case userNoteUpdate = 46
    case sessionsReplace = 47
    case guildAuditLogEntryCreate = 48
    case channelRecipientAdd = 49
    case channelRecipientRemove = 50

    /// The `t` of the dispatch, such as `MESSAGE_CREATE`.
    public var name: String {
        staticName.description
    }

    /// The event with this `t`.
    public init?(name: String) {
        guard let kind = Self.byName[name] else { return nil }
        self = kind
    }

    private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.name, $0) })

    /// The `t` of the dispatch as bytes that live as long as the process.
    public var staticName: StaticString {
        switch self {
        case .ready: "READY"
        case .resumed: "RESUMED"
        case .guildCreate: "GUILD_CREATE"
        case .guildUpdate: "GUILD_UPDATE"
        case .guildDelete: "GUILD_DELETE"
        case .guildRoleCreate: "GUILD_ROLE_CREATE"
        case .guildRoleUpdate: "GUILD_ROLE_UPDATE"
        case .guildRoleDelete: "GUILD_ROLE_DELETE"
        case .guildMemberAdd: "GUILD_MEMBER_ADD"
        case .guildMemberUpdate: "GUILD_MEMBER_UPDATE"
        case .guildMemberRemove: "GUILD_MEMBER_REMOVE"
        case .guildMembersChunk: "GUILD_MEMBERS_CHUNK"
        case .guildBanAdd: "GUILD_BAN_ADD"
        case .guildBanRemove: "GUILD_BAN_REMOVE"
        case .guildEmojisUpdate: "GUILD_EMOJIS_UPDATE"
        case .channelCreate: "CHANNEL_CREATE"
        case .channelUpdate: "CHANNEL_UPDATE"
        case .channelDelete: "CHANNEL_DELETE"
        case .channelPinsUpdate: "CHANNEL_PINS_UPDATE"
        case .messageCreate: "MESSAGE_CREATE"
        case .messageUpdate: "MESSAGE_UPDATE"
        case .messageDelete: "MESSAGE_DELETE"
        case .messageDeleteBulk: "MESSAGE_DELETE_BULK"
        case .messageReactionAdd: "MESSAGE_REACTION_ADD"
        case .messageReactionRemove: "MESSAGE_REACTION_REMOVE"
        case .messageReactionRemoveAll: "MESSAGE_REACTION_REMOVE_ALL"
        case .messageReactionRemoveEmoji: "MESSAGE_REACTION_REMOVE_EMOJI"
        case .typingStart: "TYPING_START"
        case .presenceUpdate: "PRESENCE_UPDATE"
        case .userUpdate: "USER_UPDATE"
        case .messageAck: "MESSAGE_ACK"
        case .relationshipAdd: "RELATIONSHIP_ADD"
        case .relationshipUpdate: "RELATIONSHIP_UPDATE"
        case .relationshipRemove: "RELATIONSHIP_REMOVE"
        case .readReceipt: "READ_RECEIPT"
        case .inviteCreate: "INVITE_CREATE"
        case .inviteDelete: "INVITE_DELETE"
        case .interactionCreate: "INTERACTION_CREATE"
        case .interactionSuccess: "INTERACTION_SUCCESS"
        case .interactionFailure: "INTERACTION_FAILURE"
        case .voiceStateUpdate: "VOICE_STATE_UPDATE"
        case .voiceServerUpdate: "VOICE_SERVER_UPDATE"
        case .webhooksUpdate: "WEBHOOKS_UPDATE"
        case .userSettingsUpdate: "USER_SETTINGS_UPDATE"
        case .userGuildSettingsUpdate: "USER_GUILD_SETTINGS_UPDATE"
        case .userNoteUpdate: "USER_NOTE_UPDATE"
        case .sessionsReplace: "SESSIONS_REPLACE"
        case .guildAuditLogEntryCreate: "GUILD_AUDIT_LOG_ENTRY_CREATE"
        case .channelRecipientAdd: "CHANNEL_RECIPIENT_ADD"
        case .channelRecipientRemove: "CHANNEL_RECIPIENT_REMOVE"
        }
    }
}

extension EventKind {
    /// What a bot must have asked for to get this event of a guild; nil where nothing is needed.
    public var guildIntent: Intents? {
        switch self {
        case .guildCreate, .guildUpdate, .guildDelete, .guildRoleCreate, .guildRoleUpdate, .guildRoleDelete,
            .channelCreate, .channelUpdate, .channelDelete, .channelPinsUpdate:
            .guilds
        case .guildMemberAdd, .guildMemberUpdate, .guildMemberRemove: .guildMembers
        case .guildBanAdd, .guildBanRemove, .guildAuditLogEntryCreate: .guildModeration
        case .guildEmojisUpdate: .guildExpressions
        case .webhooksUpdate: .guildWebhooks
        case .inviteCreate, .inviteDelete: .guildInvites
        case .voiceStateUpdate: .guildVoiceStates
        case .presenceUpdate: .guildPresences
        case .messageCreate, .messageUpdate, .messageDelete, .messageDeleteBulk: .guildMessages
        case .messageReactionAdd, .messageReactionRemove, .messageReactionRemoveAll, .messageReactionRemoveEmoji:
            .guildMessageReactions
        case .typingStart: .guildMessageTyping
        default: nil
        }
    }

    /// What a bot must have asked for to get this event of a direct conversation; nil where nothing is needed.
    public var directIntent: Intents? {
        switch self {
        case .messageCreate, .messageUpdate, .messageDelete, .messageDeleteBulk, .channelPinsUpdate: .directMessages
        case .messageReactionAdd, .messageReactionRemove, .messageReactionRemoveAll, .messageReactionRemoveEmoji:
            .directMessageReactions
        case .typingStart: .directMessageTyping
        default: nil
        }
    }

    /// Whether bots never get this event, wherever it comes from.
    public var isForPeopleOnly: Bool {
        switch self {
        case .messageAck, .relationshipAdd, .relationshipUpdate, .relationshipRemove, .readReceipt,
            .userSettingsUpdate, .userGuildSettingsUpdate, .userNoteUpdate, .sessionsReplace, .interactionSuccess,
            .interactionFailure, .channelRecipientAdd, .channelRecipientRemove:
            true
        default: false
        }
    }

    /// Whether bots never get this event of a direct conversation: libraries fail on CHANNEL_CREATE there.
    public var isForPeopleOnlyInDirect: Bool {
        switch self {
        case .channelCreate, .channelUpdate, .channelDelete: true
        default: isForPeopleOnly
        }
    }
}
