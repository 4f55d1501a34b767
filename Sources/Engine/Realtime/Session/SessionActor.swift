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

    /// How long an owner is waited for, in milliseconds.
    private static let patience: UInt64 = 30_000
    /// How long a guild is left alone that could not be had, in milliseconds: at first, and after many times at most.
    private static let pauses = (first: 250, longest: 4_000)

    /// How often a guild may refuse a session whose user is a member, as they say themselves: an owner that has lost the guild and
    /// does not know it yet knows nothing of those who have joined since.
    private static let toleratedRefusals = 4

    /// What a guild says to a session that asks for it.
    private enum Answer {
        case opened(GuildOpening)
        /// The user is no member.
        case refused
        /// It cannot be had now: its slot has no owner, or Postgres is away.
        case notNow

        var opening: GuildOpening? {
            if case .opened(let opening) = self { opening } else { nil }
        }
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

    /// Takes up a guild that the session has subscribed to since READY, or moved here with.
    func beginOpening(_ guildID: GuildID) {
        Task { await self.openGuild(guildID) }
    }

    /// Asks a guild whether it is gone for the session, which was told so.
    ///
    /// The session may have been opened with a guild as an owner knew it that had lost it without knowing. The guild's stream tells
    /// then how the user was removed, and of how they joined again READY knew already: nothing would bring the guild back (I6).
    func beginAskingAgain(_ guildID: GuildID) {
        Task {
            guard loop.sessions[key] === session, session.actor === self, session.doubtedLosses.contains(guildID),
                session.subscribe(to: .guild(guildID)) != nil
            else { return }
            await self.openGuild(guildID)
        }
    }

    /// Opens the session: subscribes first, then takes the snapshots, then READY, then what came meanwhile (I6).
    private func open() async {
        defer { loop.sessions.openingFinished(session.key) }
        do {
            guard let ownEvents = session.subscribe(to: .user(session.userID)) else { return }
            session.presence = initialPresence
            guard let opening = try await openUser() else { return }
            session.isAnnounced = true
            guard session.phase == .opening else { return loop.users.sessionEnded(session, watching: []) }
            let guildIDs = opening.guildIDs.filter(session.serves)
            for id in guildIDs { session.subscribe(to: .guild(id)) }
            let guilds = await openGuilds(guildIDs)
            guard session.phase == .opening else {
                for guild in guilds where guild.answer.opening != nil {
                    loop.users.stopWatching(guild.id, as: session.userID)
                }
                return
            }
            sendReady(opening, guilds: guilds)
            loop.registry.becomeLive(ownEvents, at: opening.position, visibility: nil)
            for guild in guilds { takeIn(guild.answer, of: guild.id, sinceReady: false) }
        } catch let error as APIError where error.code == APIError.unknownUser.code {
            loop.sessions.openingFailed(session, with: .authenticationFailed)
        } catch {
            loop.services.logger.warning("a session could not be opened: \(error)")
            loop.sessions.openingFailed(session, with: .unknownError)
        }
    }

    /// Asks for a guild until it can be had, for as long as the session is here and wants it.
    /// - Parameter hasBeenAsked: it could not be had just now.
    private func openGuild(_ id: GuildID, hasBeenAsked: Bool = false) async {
        let (userID, subscription) = (session.userID, session.subscriptions[.guild(id)])
        var pause = Self.pauses.first
        var mayAsk = !hasBeenAsked
        var refusals = 0
        while true {
            if !mayAsk {
                // Sessions that wait for the same guild do not ask all at once.
                try? await Task.sleep(for: .milliseconds(Int.random(in: pause / 2...pause)))
                pause = min(pause * 2, Self.pauses.longest)
            }
            mayAsk = false
            guard wants(id, subscription) else { return }
            let answer = await Self.ask(id, request: guildRequest, on: loop)
            guard wants(id, subscription) else {
                // It has ended, or moved to another loop, where it asks for the guild itself.
                if answer.opening != nil { loop.users.stopWatching(id, as: userID) }
                return
            }
            if case .notNow = answer { continue }
            if case .refused = answer, refusals < Self.toleratedRefusals, !session.doubtedLosses.contains(id) {
                refusals += 1
                continue
            }
            return takeIn(answer, of: id, sinceReady: true)
        }
    }

    /// Whether the session lives here and listens to the guild as it did: it may have left and joined again since.
    private func wants(_ id: GuildID, _ subscription: Subscription?) -> Bool {
        guard let subscription else { return false }
        return loop.sessions[key] === session && session.actor === self
            && session.subscriptions[.guild(id)] === subscription
    }

    /// What READY says of the user. Waits while they have no owner, as long as that may take.
    /// - Returns: nil if the client has gone meanwhile.
    private func openUser() async throws -> UserOpening? {
        let end = loop.now + Self.patience
        while !(await loop.isFollowed(.user(session.userID))) {
            guard session.phase == .opening else { return nil }
            guard loop.now < end else { throw APIError.notCommitted }
            try? await Task.sleep(for: .milliseconds(Self.pauses.first))
        }
        return try await Self.patiently {
            try await self.loop.services.user(self.session.userID).open(
                SessionAttachment(
                    session: self.session.key, isBot: self.session.identity.isBot,
                    loginID: self.session.identity.loginID, presence: self.session.presence))
        }
    }

    /// To open twice is to open once: a session too many is counted at most.
    private static func patiently<Value: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async rethrows -> Value {
        let options = CallOptions(deadline: .milliseconds(Int64(patience)), isIdempotent: true)
        return try await CallOptions.$current.withValue(options, operation: body)
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

    private func openGuilds(_ ids: [GuildID]) async -> [(id: GuildID, answer: Answer)] {
        let (request, loop) = (guildRequest, loop)
        var answers: [GuildID: Answer] = [:]
        await withTaskGroup(of: (GuildID, Answer).self) { group in
            var remaining = ids.makeIterator()
            for _ in 0..<Self.concurrentGuilds {
                guard let id = remaining.next() else { break }
                group.addTask { (id, await Self.ask(id, request: request, on: loop)) }
            }
            for await (id, answer) in group {
                answers[id] = answer
                if let next = remaining.next() {
                    group.addTask { (next, await Self.ask(next, request: request, on: loop)) }
                }
            }
        }
        return ids.map { ($0, answers[$0] ?? .notNow) }
    }

    private static func ask(_ id: GuildID, request: GuildOpeningRequest, on loop: EngineLoop) async -> Answer {
        guard await loop.isFollowed(.guild(id)) else { return .notNow }
        do { return .opened(try await loop.services.guild(id).open(request)) } catch let error as APIError
            where error.code == APIError.unknownGuild.code
        { return .refused } catch { return .notNow }
    }

    private func sendReady(_ opening: UserOpening, guilds: [(id: GuildID, answer: Answer)]) {
        let isBot = session.identity.isBot
        let ready = ReadyBody(
            sessionID: session.identifier, resumeURL: loop.services.settings.gatewayURL, opening: opening,
            guilds: guilds.map { ($0.id, $0.answer.opening?.body) }, shard: session.request.shard, isBot: isBot,
            userID: session.userID)
        session.unavailableGuilds = Set(guilds.lazy.filter { isBot || $0.answer.opening == nil }.map(\.id))
        session.becameReady()
        session.dispatch(StreamEvent(kind: .ready, body: ready.encoded()))
    }

    /// Shows the client a guild, unless READY has, and lets its events follow.
    private func takeIn(_ answer: Answer, of id: GuildID, sinceReady: Bool) {
        guard let subscription = session.subscriptions[.guild(id)] else {
            if answer.opening != nil { loop.users.stopWatching(id, as: session.userID) }
            return
        }
        switch answer {
        case .opened(let opening):
            session.doubtedLosses.remove(id)
            if session.unavailableGuilds.remove(id) != nil {
                dispatchGuild(ReadyBody.becameAvailable(opening.body))
            } else if sinceReady {
                dispatchGuild(opening.body)
            }
            loop.registry.becomeLive(subscription, at: opening.position, visibility: opening.visibility)
        case .refused where sinceReady:
            session.leaveGuild(id)
        case .refused, .notNow:
            Task { await self.openGuild(id, hasBeenAsked: true) }
        }
    }

    private func dispatchGuild(_ body: [UInt8]) {
        session.dispatch(StreamEvent(kind: .guildCreate, body: body, intents: .guilds))
    }
}
