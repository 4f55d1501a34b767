import FluxCluster
import FluxCore
import FluxStore
import Logging
import NIOConcurrencyHelpers
import NIOCore

/// One node's realtime engine: its actors, streams and sessions. What the gateway and the API speak to.
public final class Realtime: SessionService, Sendable {
    let services: EngineServices
    private let loops: [EngineLoop]
    let outboxSweep: OutboxSweep
    /// The loops' upkeep, once a second while the engine runs.
    private let upkeep = NIOLockedValueBox<[RepeatedTask]>([])
    /// Tells the clients to come back elsewhere, while the node drains or is cut off.
    private let farewell = SingleTask()

    /// What the engine stands on.
    public struct Foundations: Sendable {
        public var system: ClusterActorSystem
        public var mesh: LoopMesh
        public var database: Database
        public var identifiers: IdentifierSource
        public var logger: Logger

        public init(
            system: ClusterActorSystem, mesh: LoopMesh, database: Database, identifiers: IdentifierSource,
            logger: Logger
        ) {
            self.system = system
            self.mesh = mesh
            self.database = database
            self.identifiers = identifiers
            self.logger = logger
        }
    }

    /// - Parameter makeLanes: makes the node's lanes, which hand what becomes of mutations to the handler they are given.
    public init(
        on foundations: Foundations, limits: SessionLimits = SessionLimits(), settings: EngineSettings,
        makeLanes: (@escaping LanePool.OutcomeHandler) throws -> LanePool
    ) rethrows {
        let mesh = foundations.mesh
        let lanes = try makeLanes { outcomes in
            var byLoop: [Int: [LaneOutcome]] = [:]
            for outcome in outcomes { byLoop[outcome.origin, default: []].append(outcome) }
            for (loop, outcomes) in byLoop {
                mesh.post(to: loop) { EngineLoop.current?.settle(outcomes) }
            }
        }
        let services = EngineServices(
            system: foundations.system, mesh: mesh, database: foundations.database, lanes: lanes,
            identifiers: foundations.identifiers, limits: limits, settings: settings, logger: foundations.logger)
        self.services = services
        loops = (0..<mesh.count).map { EngineLoop(index: $0, services: services) }
        outboxSweep = OutboxSweep(services)
    }

    public var measurements: EngineMeasurements { services.measurements }

    /// Takes the node's slots and begins to serve. - Parameter slots: those to take; all if nil, none where a `ClusterNode`
    /// brings them.
    public func start(slots: [Slot]? = nil) async throws {
        ActorRegistration.register(services)
        services.links.register()
        services.moves.register()
        services.rollCalls.register()
        for loop in loops {
            try await loop.executor.eventLoop.submit { loop.install() }.get()
        }
        try await services.system.start(slots: slots)
        let renewal = TimeAmount.milliseconds(Int64(RelayLeases.renewalMilliseconds))
        let renewals = loops.map { loop in
            loop.executor.eventLoop.scheduleRepeatedTask(initialDelay: renewal, delay: renewal) { _ in
                loop.renewLeases()
            }
        }
        let ticks = loops.map { loop in
            loop.executor.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
                loop.tick()
            }
        }
        outboxSweep.start()
        upkeep.withLockedValue { $0 = ticks + renewals }
    }

    // MARK: Commands

    /// Carries out a command on a guild, wherever it lives; of one that does not exist yet, its founding.
    /// - Throws: `APIError`.
    public func perform(_ command: GuildCommand, on guild: GuildID) async throws(APIError) -> CommandReply {
        try await carryOut { try await self.services.guild(guild).perform(command) }
    }

    /// Carries out a command on a channel or DM.
    /// - Throws: `APIError`.
    public func perform(_ command: ChannelCommand, on channel: ChannelID) async throws(APIError) -> CommandReply {
        let tries = CommandTries()
        do {
            return try await carryOut(tries) { try await self.services.channel(channel).perform(command) }
        } catch {
            guard case .delete(let message) = command.operation, error == .unknownMessage, tries.isRepeat,
                await isDeleted(message, in: channel)
            else { throw error }
            // By its first try, or meanwhile by somebody else: it is as the caller wants it.
            return .nothing
        }
    }

    private func isDeleted(_ message: MessageID, in channel: ChannelID) async -> Bool {
        (try? await services.messages.stored(message, in: channel, guildID: nil))?.isDeleted == true
    }

    /// Carries out a command on the caller's own account.
    /// - Throws: `APIError`.
    public func perform(_ command: UserCommand) async throws(APIError) -> CommandReply {
        try await carryOut { try await self.services.user(command.caller.userID).perform(command) }
    }

    /// Takes one use of a channel's limit for a request over REST; nil where nothing is limited, or the channel cannot say.
    public func takeBudget(_ bucket: ChannelBucket, of userID: UserID, in channel: ChannelID) async -> RateWindow
        .Decision?
    {
        guard services.settings.channelLimits[bucket] != nil,
            let location = try? await services.channels.locate(channel)
        else { return nil }
        let request = BudgetRequest(bucket: bucket, userID: userID)
        return try? await services.system.invoke(
            ChannelCalls.budget, on: location.address(of: channel), request
        ).decision
    }

    /// Takes one use of a person's limit, which all nodes share: this one asks for a portion at a time. When the owner of the
    /// user's slot cannot be reached the node lends itself a quarter of the limit.
    /// - Parameter place: the guild or channel that the limit is counted for apart from others; 0 where there is none.
    public func takeBudget(
        _ bucket: UserBucket, of userID: UserID, in place: UInt64 = 0, rule: RateWindow.Rule
    ) async -> RateWindow.Decision {
        await services.budgets.take(UserBudget(of: userID, bucket, in: place), rule)
    }

    /// The guild of a channel; nil for a DM.
    /// - Throws: `APIError.unknownChannel`.
    public func guild(of channel: ChannelID) async throws(APIError) -> GuildID? {
        try await services.channels.locate(channel).guildID
    }

    /// A new id. - Throws: `APIError.notCommitted` at the reserved high-water.
    public func mintID() throws(APIError) -> Snowflake { try services.identifiers.next() }

    /// A user's public face; nil if there is no such user.
    public func face(of userID: UserID) async throws(APIError) -> User? {
        do { return try await services.users.user(userID) } catch { throw .notCommitted }
    }

    /// Closes the sessions of a login that has ended, with 4004.
    public func loginEnded(_ loginID: LoginID, of userID: UserID) async throws(APIError) {
        try await carryOut(isIdempotent: true) { try await self.services.user(userID).loginEnded(loginID) }
    }

    /// Closes all sessions of a user whose credentials are void, with 4004.
    public func credentialsRevoked(of userID: UserID) async throws(APIError) {
        try await carryOut(isIdempotent: true) { try await self.services.user(userID).credentialsRevoked() }
    }

    /// Tells sessions, guilds and friends of an account's new face, which is committed already.
    public func profileChanged(of userID: UserID) async throws(APIError) {
        try await carryOut(isIdempotent: true) { try await self.services.user(userID).profileChanged() }
    }

    /// Longer than a lane holds a change that it cannot commit, so that a caller always learns what became of it. A command that
    /// reaches no owner is answered earlier (`CallLimits.stallTime`).
    private static let commandDeadline: TimeAmount = .seconds(60)

    private func carryOut<Value: Sendable>(
        _ tries: CommandTries = CommandTries(), isIdempotent: Bool = false,
        _ command: @Sendable () async throws -> Value
    ) async throws(APIError) -> Value {
        do {
            let options = CallOptions(
                deadline: Self.commandDeadline, isIdempotent: isIdempotent, onRepeat: tries.repeated)
            return try await CallOptions.$current.withValue(options) { try await command() }
        } catch let error as APIError {
            // That the last try stored nothing says nothing of the ones before.
            throw error == .notCommitted && tries.isRepeat ? .serviceUnavailable : error
        } catch let error as CallError {
            throw APIError(error)
        } catch {
            services.logger.error("a command failed: \(error)")
            throw .internalFailure
        }
    }

    // MARK: Sessions

    public func identify(
        _ request: IdentifyRequest, as identity: GatewayIdentity, over transport: any SessionTransport,
        completion: @escaping (Result<any SessionHandle, SessionRefusal>) -> Void
    ) {
        guard let loop = EngineLoop.current else { return completion(.failure(.close(.unknownError))) }
        loop.sessions.identify(request, as: identity, over: transport, completion: completion)
    }

    public func resume(
        _ identifier: String, after sequence: UInt64, as identity: GatewayIdentity,
        over transport: any SessionTransport,
        completion: @escaping (Result<any SessionHandle, SessionRefusal>) -> Void
    ) {
        guard let loop = EngineLoop.current, let key = SessionKey(identifier) else {
            return completion(.failure(.invalidSession(resumable: false)))
        }
        loop.sessions.resume(
            key,
            for: ArrivingClient(sequence: sequence, identity: identity, transport: transport, completion: completion))
    }

    /// What the engine holds right now, for the metrics.
    public func census() async -> EngineCensus {
        var census = EngineCensus()
        for loop in loops {
            let part = try? await loop.executor.eventLoop.submit { EngineCensus(loop) }.get()
            if let part { census.add(part) }
        }
        census.heldEventBytes = HeldEvents.bytes
        return census
    }

    // MARK: Stopping

    /// Takes no sessions and tells every client to come back elsewhere, `perSecond` of them a second on each loop. The sessions
    /// stay until other nodes have taken them: `ClusterNode.handSessionsOver`. Returns when all are told, by whoever began it, or the
    /// node takes clients again.
    public func drainSessions(perSecond: Int = 1000) async {
        await beginDraining(perSecond: perSecond).value
    }

    /// The same, without waiting for its end.
    @discardableResult
    func beginDraining(perSecond: Int = 1000) -> Task<Void, Never> {
        services.setDraining(true)
        return farewell.begin { await self.reconnectAll(perSecond: perSecond) }
    }

    /// How many sessions each loop offers at a time.
    private static let offersAtOnce = 256

    /// Returns when other nodes have taken all sessions that are left here, or those have ended; or after a time.
    /// - Parameters:
    ///   - patience: how long the clients are given to come by themselves; then the nodes are offered what is left.
    ///   - takers: who may have them now.
    /// - Returns: how many are left.
    @discardableResult
    func awaitDepartures(
        atMost limit: Duration, offeringAfter patience: Duration, to takers: () async -> [NodeID]
    ) async -> Int {
        let begin = ContinuousClock.now
        while services.sessions.count > 0, ContinuousClock.now < begin + limit, !Task.isCancelled {
            if ContinuousClock.now >= begin + patience {
                let nodes = await takers()
                for loop in loops {
                    services.run(on: loop.index) { $0.sessions.offer(to: nodes, atMost: Self.offersAtOnce) }
                }
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return services.sessions.count
    }

    /// Takes sessions again.
    func endDraining() {
        services.setDraining(false)
        endFarewell()
    }

    /// The node is cut off from others: it tells every client to come back elsewhere, and takes no new session until
    /// `takeClientsAgain`.
    func sendClientsAway() {
        services.setApart(true)
        farewell.begin { await self.reconnectAll(perSecond: 1000) }
    }

    /// The node is no longer cut off.
    func takeClientsAgain() {
        services.setApart(false)
        endFarewell()
    }

    /// One of the two reasons is over; the other may still hold.
    private func endFarewell() {
        if !services.isDraining { farewell.cancel() }
    }

    private func reconnectAll(perSecond: Int) async {
        let services = services
        for loop in loops {
            while !Task.isCancelled {
                let round = loop.executor.eventLoop.submit {
                    // Asked on the loop: who comes once the node takes clients again is told nothing.
                    services.isDraining ? loop.sessions.reconnectAll(atMost: perSecond) : 0
                }
                guard let told = try? await round.get(), told == perSecond else { break }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Commits all that is decided, gives the slots back, and stops. Nothing is accepted any more.
    public func stop() async {
        await outboxSweep.stop()
        await farewell.stop()
        for task in upkeep.withLockedValue({ $0 }) { task.cancel() }
        await services.lanes.drain()
        do { try await services.system.stop() } catch {
            services.logger.warning("the leases could not be given back: \(error)")
        }
    }
}
