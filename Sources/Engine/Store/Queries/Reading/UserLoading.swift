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

    public init(
        user: User, relationships: [RelationshipSide] = [], directMessages: [DirectMessage] = [],
        readStates: [StoredReadState] = [], settings: [UInt8]? = nil, guildSettings: [GuildID: [UInt8]] = [:],
        notes: [UserID: String] = [:]
    ) {
        self.user = user
        self.relationships = relationships
        self.directMessages = directMessages
        self.readStates = readStates
        self.settings = settings
        self.guildSettings = guildSettings
        self.notes = notes
    }
}

/// Loads all that belongs to an account when its actor is activated.
public struct UserLoading: Sendable {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// The account with what belongs to it, in one round trip; nil if there is none.
    public func load(_ id: UserID) async throws(StoreError) -> LoadedUser? {
        let answers = try await database.transaction([
            Statement(Users.Queries.batch, [.ids([id])]),
            Relationships.statement(of: id), DirectMessages.statement(of: id, closed: true),
            ReadStates.statement(of: id), Settings.statement(of: id), Settings.guildsStatement(of: id),
            Relationships.notesStatement(of: id),
        ])
        guard let user = try UserRow.readAll(answers[0]).first else { return nil }
        return LoadedUser(
            user: user, relationships: try Relationships.readAll(answers[1]),
            directMessages: try DirectMessages.readAll(answers[2]),
            readStates: try ReadStates.readAll(answers[3], of: id), settings: try Settings.read(answers[4]),
            guildSettings: try Settings.readGuilds(answers[5]), notes: try Relationships.readNotes(answers[6]))
    }
}
