import FluxCore

/// All that belongs to a person or bot, as the actor of the account needs it.
public struct LoadedUser: Sendable {
    public var user: User
    /// Those that are over among them.
    public var relationships: [RelationshipSide]
    /// Open and closed.
    public var directMessages: [DirectMessage]
    public var readStates: [StoredReadState]
    /// A JSON object in UTF-8; nil if none were ever set.
    public var settings: [UInt8]?
    public var guildSettings: [GuildID: [UInt8]]
    public var notes: [UserID: String]
    /// The person's guilds, ascending, at most `Memberships.pageLimit`.
    public var guildIDs: [GuildID]
    /// What waits in the outbox, in the order of the ids, at most `Outbox.pageLimit`.
    public var outbox: [OutboxEntry]

    public init(
        user: User, relationships: [RelationshipSide] = [], directMessages: [DirectMessage] = [],
        readStates: [StoredReadState] = [], settings: [UInt8]? = nil, guildSettings: [GuildID: [UInt8]] = [:],
        notes: [UserID: String] = [:], guildIDs: [GuildID] = [], outbox: [OutboxEntry] = []
    ) {
        self.user = user
        self.relationships = relationships
        self.directMessages = directMessages
        self.readStates = readStates
        self.settings = settings
        self.guildSettings = guildSettings
        self.notes = notes
        self.guildIDs = guildIDs
        self.outbox = outbox
    }
}
