import Distributed
import FluxCluster
import FluxCore

/// Speaks for one session in the cluster, and opens it: puts READY together from what the user and the guilds say (protocol 7.7).
///
/// Lives on the node that accepted the session, on the loop of its connection (design 4).
distributed actor SessionActor: KeyedActor {
    typealias ActorSystem = ClusterActorSystem

    nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.unownedExecutor(for: id) }

    /// Touched on this actor's loop alone, and after a wait only when the session has not moved away meanwhile.
    private let session: Session
    private let key: SessionKey
    private let loop: EngineLoop

    /// How many guilds are asked at a time while a session opens.
    private static let concurrentGuilds = 16

    /// How a guild is announced to the client.
    private enum Announcement {
        /// It was unavailable before.
        case becameAvailable
        /// The user has joined it.
        case joined
    }

    init(_ session: Session, loop: EngineLoop, system: ClusterActorSystem) {
        actorSystem = system
        self.session = session
        key = session.key
        self.loop = loop
    }

    /// A session leaves only when it ends.
    var canPassivate: Bool { false }

    /// Ends the session from another node: its connection is closed with `code`.
    distributed func close(_ code: UInt16) {
        guard loop.sessions[key] === session else { return }
        loop.sessions.end(
            session,
            close: GatewayCloseCode(rawValue: code) == .authenticationFailed
                ? .credentialsEnded : .reconnectAnew)
    }

    func beginOpening() {
        Task { await self.open() }
    }

    func beginOpening(_ guildID: GuildID) {
        Task { await self.openGuild(guildID, announcing: .joined) }
    }

    /// Opens the session: subscribes first, then takes the snapshots, then READY, then what came meanwhile (I6).
    private func open() async {
        defer { loop.sessions.openingFinished(session.key) }
        do {
            guard let ownEvents = session.subscribe(to: .user(session.userID)) else { return }
            guard await loop.isFollowed(.user(session.userID)) else { throw APIError.notCommitted }
            let opening = try await loop.services.user(session.userID).open(
                SessionAttachment(
                    session: session.key, isBot: session.identity.isBot, loginID: session.identity.loginID,
                    presence: initialPresence))
            session.isAnnounced = true
            guard session.phase == .opening else { return loop.users.sessionEnded(session, watching: []) }
            let guildIDs = opening.guildIDs.filter(session.serves)
            for id in guildIDs { session.subscribe(to: .guild(id)) }
            let guilds = await openGuilds(guildIDs)
            guard session.phase == .opening else {
                for guild in guilds where guild.opening != nil {
                    loop.users.stopWatching(guild.id, as: session.userID)
                }
                return
            }
            sendReady(opening, guilds: guilds)
            loop.registry.becomeLive(ownEvents, at: opening.position, visibility: nil)
            for guild in guilds { await follow(guild.id, guild.opening, announcing: .becameAvailable, inReady: true) }
        } catch let error as APIError where error.code == APIError.unknownUser.code {
            loop.sessions.openingFailed(session, with: .authenticationFailed)
        } catch {
            loop.services.logger.warning("a session could not be opened: \(error)")
            loop.sessions.openingFailed(session, with: .unknownError)
        }
    }

    /// Takes up a guild that the session has subscribed to since READY.
    private func openGuild(_ id: GuildID, announcing announcement: Announcement) async {
        let userID = session.userID
        let opening = await Self.ask(id, request: guildRequest, on: loop)
        guard loop.sessions[key] === session, session.actor === self else {
            // The session has ended, or moved to another loop, where it asks for the guild itself.
            if opening != nil { loop.users.stopWatching(id, as: userID) }
            return
        }
        await follow(id, opening, announcing: announcement, inReady: false)
    }

    private var initialPresence: SessionPresence {
        session.request.presence.flatMap { SessionPresence(json: $0, now: .now()) } ?? SessionPresence()
    }

    private var guildRequest: GuildOpeningRequest {
        GuildOpeningRequest(
            userID: session.userID, node: loop.services.system.identity.id,
            largeThreshold: session.request.largeThreshold,
            wantsPresences: !session.identity.isBot || session.request.intents.contains(.guildPresences))
    }

    private func openGuilds(_ ids: [GuildID]) async -> [(id: GuildID, opening: GuildOpening?)] {
        let (request, loop) = (guildRequest, loop)
        var openings: [GuildID: GuildOpening] = [:]
        await withTaskGroup(of: (GuildID, GuildOpening?).self) { group in
            var remaining = ids.makeIterator()
            for _ in 0..<Self.concurrentGuilds {
                guard let id = remaining.next() else { break }
                group.addTask { (id, await Self.ask(id, request: request, on: loop)) }
            }
            for await (id, opening) in group {
                openings[id] = opening
                if let next = remaining.next() {
                    group.addTask { (next, await Self.ask(next, request: request, on: loop)) }
                }
            }
        }
        return ids.map { ($0, openings[$0]) }
    }

    /// A guild's snapshot; nil if it cannot be had now or the user is no member of it.
    private static func ask(
        _ id: GuildID, request: GuildOpeningRequest, on loop: EngineLoop
    ) async -> GuildOpening? {
        guard await loop.isFollowed(.guild(id)) else { return nil }
        return try? await loop.services.guild(id).open(request)
    }

    private func sendReady(_ opening: UserOpening, guilds: [(id: GuildID, opening: GuildOpening?)]) {
        let ready = ReadyBody(
            sessionID: session.identifier, resumeURL: loop.services.settings.gatewayURL, opening: opening,
            guilds: guilds.map { ($0.id, $0.opening?.body) }, shard: session.request.shard,
            isBot: session.identity.isBot, userID: session.userID)
        session.becameReady()
        session.dispatch(StreamEvent(kind: .ready, body: ready.encoded()))
    }

    /// Announces a guild and lets its events follow.
    private func follow(
        _ id: GuildID, _ opening: GuildOpening?, announcing announcement: Announcement, inReady: Bool
    ) async {
        guard let subscription = session.subscriptions[.guild(id)] else {
            if opening != nil { loop.users.stopWatching(id, as: session.userID) }
            return
        }
        guard let opening else {
            // Nothing of it can be shown now; the client keeps it as unavailable until a new session finds it.
            session.unsubscribe(from: .guild(id))
            return
        }
        if session.identity.isBot || !inReady {
            let body =
                switch announcement {
                case .becameAvailable: ReadyBody.becameAvailable(opening.body)
                case .joined: opening.body
                }
            session.dispatch(StreamEvent(kind: .guildCreate, body: body, intents: .guilds))
        }
        loop.registry.becomeLive(subscription, at: opening.position, visibility: opening.visibility)
    }
}
