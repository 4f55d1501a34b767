import Distributed
import FluxCluster
import FluxCore
import FluxStore

/// Owns one user: knows their sessions, tells others of their presence, and passes on to their sessions what concerns them alone
/// (design 4).
distributed actor UserActor: KeyedActor {
    typealias ActorSystem = ClusterActorSystem

    nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.unownedExecutor(for: id) }

    let userID: UserID
    let slot: Slot
    let epoch: Epoch
    let loop: EngineLoop
    var publisher: StreamPublisher
    var user: User
    /// Oldest first.
    var guildIDs: [GuildID]
    /// DMs that the user has open.
    var openDirects: Set<ChannelID>
    var presence: PresenceBoard
    /// What others were told last.
    var shownPresence: Presence
    /// What friends show, for the presences of READY.
    var friendPresences: [UserID: Presence] = [:]

    init(
        _ user: User, guildIDs: [GuildID], openDirects: Set<ChannelID>, address: ActorAddress, epoch: Epoch,
        loop: EngineLoop, system: ClusterActorSystem
    ) {
        actorSystem = system
        userID = user.id
        slot = address.slot
        self.epoch = epoch
        self.loop = loop
        self.user = user
        self.guildIDs = guildIDs
        self.openDirects = openDirects
        presence = PresenceBoard()
        shownPresence = .offline(user.id)
        publisher = loop.beginStream(.user(user.id), epoch: epoch)
    }

    var services: EngineServices { loop.services }

    var canPassivate: Bool { presence.sessionCount == 0 && !loop.relays.hasSubscribers(publisher.key) }

    func deactivated(_ reason: DeactivationReason) { loop.endStream(publisher.key) }

    /// Makes the actor of a user from what is stored.
    static func activate(
        _ address: ActorAddress, epoch: Epoch, services: EngineServices
    ) async throws -> UserActor {
        let id = UserID(address.key)
        do {
            guard let user = try await services.userReads.find(id) else { throw APIError.unknownUser }
            async let guilds = services.memberships.guildIDs(of: id)
            async let directs = services.directMessages.list(of: id)
            let (guildIDs, list) = try await (guilds, directs)
            services.users.remember([user])
            return UserActor(
                user, guildIDs: guildIDs, openDirects: Set(list.map(\.channel.id)), address: address, epoch: epoch,
                loop: try EngineLoop.requireCurrent(), system: services.system)
        } catch let error as StoreError {
            services.logger.warning("a user could not be read: \(error)")
            throw APIError.notCommitted
        }
    }

    // MARK: Sessions

    /// A session begins: from here on it counts, and what READY says of the user is as of `position`.
    distributed func open(_ attachment: SessionAttachment) async throws -> UserOpening {
        presence.begin(attachment.session, attachment.presence)
        announcePresence()
        let sections = attachment.isBot ? [] : try await personSections()
        var writer = JSONWriter()
        user.writeOwn(to: &writer)
        return UserOpening(
            position: publisher.position, ownUser: writer.bytes, guildIDs: guildIDs, sections: sections)
    }

    /// What became of a session.
    func heard(_ news: SessionNews) {
        presence.apply(news.news, to: news.session)
        announcePresence()
    }

    // MARK: Events

    /// Passes an event to the user's sessions.
    func emit(
        _ kind: EventKind, body: [UInt8], intents: Intents = [], audience: Audience = .everyone,
        control: StreamControl? = nil
    ) {
        if user.isBot, control == nil, kind.isForPeopleOnlyInDirect { return }
        loop.publish(
            publisher.next(kind, body: body, audience: audience, intents: intents, subject: nil, control: control),
            of: publisher.key)
    }

    /// An event of a DM. The first message of one that is not open opens it (protocol 7.9).
    func receive(_ event: DirectEvent) {
        if event.kind == .messageCreate, !openDirects.contains(event.channelID) {
            openDirects.insert(event.channelID)
            commitInBackground([.openDirectMessage(event.channelID, userID: userID)])
            emit(.channelCreate, body: event.opening)
        }
        emit(event.kind, body: event.body, intents: event.kind.directIntent ?? [])
    }

    /// The user has become a member of a guild.
    distributed func joined(_ guildID: GuildID) {
        guard !guildIDs.contains(guildID) else { return }
        guildIDs.append(guildID)
        emit(.guildCreate, body: [], audience: .nobody, control: .guildJoined(guildID))
        if shownPresence.status != .offline { tell(shownPresence, to: guildID) }
    }

    /// The user is a member no more; their sessions hear it from the guild.
    distributed func left(_ guildID: GuildID) { guildIDs.removeAll { $0 == guildID } }

    /// A login has ended: its sessions are closed.
    distributed func loginEnded(_ loginID: LoginID) {
        emit(.sessionsReplace, body: [], audience: .nobody, control: .loginEnded(loginID))
    }

    /// Every credential of the user is void: all sessions are closed.
    distributed func credentialsRevoked() {
        emit(.sessionsReplace, body: [], audience: .nobody, control: .credentialsRevoked)
    }

    /// The account's public face changed and is committed.
    distributed func profileChanged() async throws {
        do {
            guard let changed = try await services.userReads.find(userID) else { return }
            user = changed
        } catch { throw APIError.notCommitted }
        services.users.remember([user])
        var writer = JSONWriter()
        user.writeOwn(to: &writer)
        emit(.userUpdate, body: writer.bytes)
        for guildID in guildIDs {
            let command = GuildCommand(
                caller: Caller(userID: userID, isBot: user.isBot), operation: .refreshUser)
            _ = try? await services.guild(guildID).perform(command)
        }
    }

    // MARK: Presence

    /// Tells the guilds and friends what has changed in how the user looks.
    func announcePresence() {
        let merged = presence.merged(userID)
        guard merged != shownPresence else { return }
        shownPresence = merged
        for guildID in guildIDs { tell(merged, to: guildID) }
    }

    private func tell(_ presence: Presence, to guildID: GuildID) {
        services.system.invoke(
            GuildCalls.presence, on: .guild(guildID), MemberPresence(presence), replyOn: loop.index
        ) { _ in }
    }

    /// A friend's presence changed.
    func receive(_ presence: MemberPresence) {
        friendPresences[presence.presence.userID] = presence.presence.status == .offline ? nil : presence.presence
        var writer = JSONWriter()
        presence.presence.write(to: &writer, guildID: nil)
        emit(.presenceUpdate, body: writer.bytes)
    }

    // MARK: Committing

    /// Commits control changes; returns when they are durable.
    func commit(_ statements: [Statement]) async throws(APIError) {
        try ChannelActor.check(await loop.commit(.statements(statements), slot: slot, epoch: epoch))
    }

    /// Commits what nobody waits for.
    func commitInBackground(_ statements: [Statement]) {
        try? loop.commit(.statements(statements), slot: slot, epoch: epoch) { _ in }
    }

    // MARK: READY

    /// The parts of READY that only people get (protocol 7.7).
    private func personSections() async throws -> [UserOpening.Section] {
        let conversations = try await listDirectMessages().body
        return [UserOpening.Section(name: "private_channels", json: conversations)]
    }
}
