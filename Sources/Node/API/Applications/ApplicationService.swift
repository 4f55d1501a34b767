import FluxCore
import FluxRealtime
import FluxSecurity
import FluxStore

/// Applications and the bots that they come with (protocol 5.8).
///
/// A bot has one token. It is shown when it is made and kept as a hash; a new one voids the former and closes the bot's
/// gateway sessions.
public struct ApplicationService: Sendable {
    /// An application with the two users that its object names.
    struct Entry: Sendable {
        var application: Application
        var owner: User
        var bot: User?
        var guildCount: Int

        func write(to writer: inout JSONWriter) {
            application.write(to: &writer, owner: owner, bot: bot, guildCount: guildCount)
        }
    }

    private let applications: Applications
    private let users: Users
    private let system: AccountSystem
    private let engine: any Engine
    private let directory: any Directory

    init(database: Database, system: AccountSystem, engine: any Engine, directory: any Directory) {
        applications = Applications(database)
        users = Users(database)
        self.system = system
        self.engine = engine
        self.directory = directory
    }

    /// Makes an application and its bot user, which have one id.
    func create(_ form: ApplicationForm, ownedBy ownerID: UserID) async throws -> Entry {
        guard let name = form.name else {
            throw APIError.form(["name"], code: "BASE_TYPE_REQUIRED", message: "This field is required")
        }
        guard try await applications.list(ownedBy: ownerID).count < Applications.pageLimit else {
            throw APIError.form(
                ["name"], code: "APPLICATION_LIMIT", message: "You have \(Applications.pageLimit) applications already."
            )
        }
        let id = try engine.mintID()
        let moment = system.now()
        // Interactions by HTTP are signed with a key of the application's own.
        let verifyKey = try Ed25519PrivateKey.generate().publicKey.rawRepresentation
        let application = Application(
            id: id, name: name, description: form.description ?? "", ownerID: ownerID, isPublic: form.isPublic ?? true,
            verifyKey: Hexadecimal.encode(verifyKey), createdAt: moment)
        let bot = User(id: id, username: name, isBot: true, createdAt: moment)
        try await applications.create(application, bot: bot)
        return Entry(application: application, owner: try await owner(ownerID), bot: bot, guildCount: 0)
    }

    /// A person's own applications, by growing id.
    func list(ownedBy ownerID: UserID) async throws -> [Entry] {
        let found = try await applications.list(ownedBy: ownerID)
        let known = try await users.batch(found.map(\.id) + [ownerID])
        guard let owner = known[ownerID] else { throw APIError.unauthorized }
        var entries: [Entry] = []
        for application in found {
            entries.append(
                Entry(
                    application: application, owner: owner, bot: known[application.id],
                    guildCount: try await applications.guildCount(of: application.id)))
        }
        return entries
    }

    /// One application. 404/10002 where there is none, 403/50001 for everyone but its owner.
    func find(_ id: ApplicationID, for ownerID: UserID) async throws -> Entry {
        try await entry(of: try await owned(id, by: ownerID))
    }

    /// The application of a bot, for the bot itself.
    func find(ofBot botID: UserID) async throws -> Entry {
        guard let application = try await applications.find(botID) else { throw APIError.unknownApplication }
        return try await entry(of: application)
    }

    /// Any application, for a person who is asked to let its bot in.
    func find(toAuthorize id: ApplicationID, by userID: UserID) async throws -> Entry {
        guard let application = try await applications.find(id) else { throw APIError.unknownApplication }
        guard application.isPublic || application.ownerID == userID else { throw APIError.missingAccess }
        return try await entry(of: application)
    }

    /// Changes what the form names.
    func update(_ id: ApplicationID, for ownerID: UserID, _ form: ApplicationForm) async throws -> Entry {
        var application = try await owned(id, by: ownerID)
        if let name = form.name { application.name = name }
        if let description = form.description { application.description = description }
        if let isPublic = form.isPublic { application.isPublic = isPublic }
        switch form.icon {
        case .keep: break
        case .set(let icon): application.icon = icon
        }
        try await applications.update(application)
        return try await entry(of: application)
    }

    /// Takes the bot out of its guilds and removes the application. The bot's user stays, because messages name it.
    func delete(_ id: ApplicationID, for ownerID: UserID) async throws {
        _ = try await owned(id, by: ownerID)
        let engine = engine
        let bot = Caller(userID: id, isBot: true)
        _ = try await boundedMap(try await directory.guilds(of: id), width: 8) { guild in
            do {
                let command = GuildCommand(
                    caller: bot, idempotencyKey: .random(in: 1 ... .max), operation: .leave)
                _ = try await engine.perform(command, on: guild)
            } catch let error as APIError where error.status == 403 || error.status == 404 {
                // Gone since the list was read.
            }
        }
        try await applications.delete(id)
        await revoke(id)
    }

    /// A new token of the application's bot.
    func newToken(_ id: ApplicationID, for ownerID: UserID) async throws -> BotToken {
        _ = try await owned(id, by: ownerID)
        let moment = system.now()
        let token = BotToken.mint(for: id, at: moment)
        try await applications.setToken(hash: token.hash, of: id, at: moment)
        await revoke(id)
        return token
    }

    /// The bot's changed profile, by its owner. The change goes the way of every change of a user.
    func updateBot(_ id: ApplicationID, for ownerID: UserID, _ body: JSON) async throws -> User {
        _ = try await owned(id, by: ownerID)
        let command = UserCommand(
            caller: Caller(userID: id, isBot: true), idempotencyKey: .random(in: 1 ... .max),
            operation: .updateProfile, body: body)
        _ = try await engine.perform(command)
        return try await owner(id)
    }

    /// Lets the bot into a guild, on behalf of a person who may manage that.
    func install(
        _ entry: Entry, in guild: GuildID, permissions: Permissions, by userID: UserID, reason: String?
    ) async throws {
        let command = GuildCommand(
            caller: Caller(userID: userID, isBot: false), reason: reason, idempotencyKey: .random(in: 1 ... .max),
            operation: .addBot(entry.application.id, permissions: permissions))
        _ = try await engine.perform(command, on: guild)
    }

    private func owned(_ id: ApplicationID, by ownerID: UserID) async throws -> Application {
        guard let application = try await applications.find(id) else { throw APIError.unknownApplication }
        guard application.ownerID == ownerID else { throw APIError.missingAccess }
        return application
    }

    private func entry(of application: Application) async throws -> Entry {
        let known = try await users.batch([application.ownerID, application.id])
        guard let owner = known[application.ownerID] else { throw APIError.unknownApplication }
        return Entry(
            application: application, owner: owner, bot: known[application.id],
            guildCount: try await applications.guildCount(of: application.id))
    }

    private func owner(_ id: UserID) async throws -> User {
        guard let user = try await users.find(id) else { throw APIError.unknownUser }
        return user
    }

    private func revoke(_ botID: UserID) async {
        system.bots.forget(botID)
        await system.revoker.credentialsRevoked(of: botID)
    }
}
