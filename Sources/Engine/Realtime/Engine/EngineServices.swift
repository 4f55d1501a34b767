import FluxCluster
import FluxCore
import FluxStore
import Logging
import NIOConcurrencyHelpers
import Synchronization

/// What every actor and session of a node shares. Everything here is safe from every thread.
public final class EngineServices: Sendable {
    let system: ClusterActorSystem
    let mesh: LoopMesh
    let database: Database
    let lanes: LanePool
    let limits: SessionLimits
    let settings: EngineSettings
    let identifiers: IdentifierSource
    let clock: EngineClock
    let channels: ChannelDirectory
    let users: UserDirectory
    let budgets: BudgetDesk
    let messages: Messages
    let reactions: MessageReactions
    let pins: Pins
    let channelEvents: ChannelEvents
    let renderer: MessageRenderer
    let channelReads: Channels
    let userReads: Users
    let memberships: Memberships
    let directMessages: DirectMessages
    let relationships: Relationships
    let readStates: ReadStates
    let userSettings: Settings
    /// What is asked for once or twice a session, gathered: thousands that come back at once are a few batches.
    let userLoading: Lookups<UserID, LoadedUser>
    let readyParts: Lookups<UserID, ReadyParts>
    /// People's conversations, open and closed.
    let conversationLists: Lookups<UserID, [DirectMessage]>
    let outbox: Outbox
    let performedCommands: PerformedCommands
    let guildLoading: GuildLoading
    let invites: Invites
    let bans: Bans
    let sessions: SessionDirectory
    let logger: Logger
    let measurements = EngineMeasurements()
    let links: StreamLinks
    let moves: SessionMoves
    let rollCalls: RollCalls
    /// What former owners of this node's slots have left.
    let slotMemories = SlotMemories()
    private let draining = Atomic<Bool>(false)
    private let apart = Atomic<Bool>(false)
    private let members = NIOLockedValueBox<[NodeID: Health]?>(nil)

    init(
        system: ClusterActorSystem, mesh: LoopMesh, database: Database, lanes: LanePool,
        identifiers: IdentifierSource, limits: SessionLimits, settings: EngineSettings, logger: Logger
    ) {
        self.system = system
        self.mesh = mesh
        self.database = database
        self.lanes = lanes
        self.limits = limits
        self.settings = settings
        self.identifiers = identifiers
        self.logger = logger
        clock = EngineClock()
        channels = ChannelDirectory(database: database)
        users = UserDirectory(database: database)
        messages = Messages(database)
        reactions = MessageReactions(database)
        pins = Pins(database)
        channelEvents = ChannelEvents(database)
        channelReads = Channels(database)
        userReads = Users(database)
        memberships = Memberships(database)
        directMessages = DirectMessages(database)
        relationships = Relationships(database)
        readStates = ReadStates(database)
        userSettings = Settings(database)
        let loading = UserLoading(database)
        let kind = StreamKey.Kind.user.rawValue
        userLoading = Lookups { ids throws(StoreError) in try await loading.load(ids, outboxKind: kind) }
        readyParts = Lookups { ids throws(StoreError) in try await loading.readyParts(ids, outboxKind: kind) }
        conversationLists = Lookups { ids throws(StoreError) in try await loading.directMessages(ids) }
        outbox = Outbox(database)
        performedCommands = PerformedCommands(database)
        guildLoading = GuildLoading(database)
        invites = Invites(database)
        bans = Bans(database)
        renderer = MessageRenderer(
            users: users, messages: messages, reactions: reactions, mediaBase: settings.mediaBase)
        sessions = SessionDirectory()
        budgets = BudgetDesk(system: system, clock: clock, patience: .milliseconds(settings.lenderPatience))
        links = StreamLinks(system: system, mesh: mesh, clock: clock, logger: logger)
        moves = SessionMoves(system: system, mesh: mesh, sessions: sessions, logger: logger)
        rollCalls = RollCalls(system: system, mesh: mesh, sessions: sessions, logger: logger)
    }

    /// This node's number, which is part of its ids.
    var nodeID: UInt16 { system.identity.id.rawValue }

    /// A handle for the guild, wherever it lives.
    func guild(_ id: GuildID) throws -> GuildActor { try system.handle(at: .guild(id)) }

    /// A handle for the user, wherever they live.
    func user(_ id: UserID) throws -> UserActor { try system.handle(at: .user(id)) }

    /// A handle for the channel, wherever it lives.
    /// - Throws: `.unknownChannel`; `.notCommitted` if it has to be looked up and cannot be.
    func channel(_ id: ChannelID) async throws -> ChannelActor {
        try system.handle(at: try await channels.locate(id).address(of: id))
    }

    /// Whether the node takes no new sessions.
    var isDraining: Bool { draining.load(ordering: .relaxed) || apart.load(ordering: .relaxed) }

    func setDraining(_ isDraining: Bool) { draining.store(isDraining, ordering: .relaxed) }

    /// Whether the node is cut off from others, so that its clients would not hear from them.
    func setApart(_ isApart: Bool) { apart.store(isApart, ordering: .relaxed) }

    /// How the members are held to be.
    func setMembers(_ healths: [NodeID: Health]) { members.withLockedValue { $0 = healths } }

    /// Whether a node is no member, or its process held to be over: what lived there is not there any more.
    func isOver(_ node: NodeID) -> Bool {
        members.withLockedValue { $0.map { $0[node]?.isLiving != true } ?? false }
    }

    /// Whether a node is no member, or held to have died, with all that lived there. A node that leaves hands on what it has first.
    func hasDied(_ node: NodeID) -> Bool {
        members.withLockedValue { $0.map { ($0[node] ?? .dead) == .dead } ?? false }
    }

    /// - Throws: `SlotLoss`, if the node does not own the slot any more under this epoch: an actor that took long to read must not
    ///   begin then, as another one may have.
    func requireOwned(_ slot: Slot, at epoch: Epoch) throws(SlotLoss) {
        guard system.owns(slot), system.assignment(of: slot).epoch == epoch else { throw .notBegun }
    }

    /// Runs `body` on a loop of the node, in the order of the calls from one loop, one hop per turn.
    func run(on loop: Int, _ body: @escaping @Sendable (EngineLoop) -> Void) {
        mesh.run(on: loop, body)
    }

    /// Runs `body` on the loop where a session lives, if it still does. One that moves at this moment is followed.
    /// - Parameter home: where the session was last seen.
    func reach(_ key: SessionKey, from home: Int, _ body: @escaping @Sendable (Session) -> Void) {
        run(on: home) { loop in
            if let session = loop.sessions[key] { return body(session) }
            guard let next = self.sessions.loop(of: key) else { return }
            if next == home {
                loop.sessions.onArrival(of: key) { $0.map(body) }
            } else {
                self.reach(key, from: next, body)
            }
        }
    }

    /// Runs `body` on the loop of a stream's owner and relay.
    func run(onLoopOf key: StreamKey, _ body: @escaping @Sendable (EngineLoop) -> Void) {
        mesh.run(on: mesh.index(of: key.slot), body)
    }
}

extension EngineServices {
    /// Makes sure that ids greater than `floor`, the last one of a channel that this node takes up, can be minted.
    /// - Throws: `.notCommitted` if they cannot be reserved now.
    func reserveIdentifiers(above floor: Snowflake?) async throws(APIError) {
        guard let floor, !identifiers.hasRoom(above: floor) else { return }
        let identity = FluxStore.NodeIdentity(
            node: system.identity.id.rawValue, incarnation: system.identity.incarnation)
        do {
            identifiers.raiseHighWater(
                to: try await LeaseStore(database).reserve(
                    identity, upTo: floor.timestampMilliseconds + LeaseStore.reservation))
        } catch {
            logger.warning("ids cannot be reserved: \(error)")
            throw .notCommitted
        }
    }
}

extension LoopMesh {
    /// Runs `body` with the engine's part of a loop, on that loop.
    func run(on loop: Int, _ body: @escaping @Sendable (EngineLoop) -> Void) {
        post(to: loop) {
            if let current = EngineLoop.current { body(current) }
        }
    }
}
