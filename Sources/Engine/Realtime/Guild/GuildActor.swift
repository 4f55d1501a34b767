import Distributed
import FluxCluster
import FluxCore
import FluxStore

/// Owns one guild: every change of it passes here, is committed first and told then (design 4, I7).
distributed actor GuildActor: KeyedActor {
    typealias ActorSystem = ClusterActorSystem

    nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.unownedExecutor(for: id) }

    let home: GuildHome
    let loop: EngineLoop
    private let slot: Slot
    /// Changes are planned, committed and applied one after the other.
    let turns = TurnQueue()
    /// The edge's keys of changes that may come again.
    private var performed: PerformedKeys
    /// A look into the outbox that waits for its turn; who wants one meanwhile waits for the same.
    var nextLook: Task<Void, Never>?

    init(_ home: GuildHome, address: ActorAddress, loop: EngineLoop, system: ClusterActorSystem) {
        actorSystem = system
        self.home = home
        self.loop = loop
        slot = address.slot
        performed = PerformedKeys(at: loop.services.clock.milliseconds)
        loop.guilds[home.guildID] = home
    }

    var services: EngineServices { loop.services }

    /// A guild stays while somebody listens to it or one of its channels is active.
    var canPassivate: Bool {
        turns.isIdle && !loop.relays.hasSubscribers(home.publisher.key) && !loop.hasActiveChannels(of: home.guildID)
    }

    func deactivated(_ reason: DeactivationReason) {
        loop.endStream(home.publisher.key, home.view, reason)
        if loop.guilds[home.guildID] === home { loop.guilds[home.guildID] = nil }
    }

    /// Makes the actor of a guild from what is stored; of one that does not exist, too, so that it can be founded.
    static func activate(
        _ address: ActorAddress, epoch: Epoch, services: EngineServices
    ) async throws -> GuildActor {
        let id = GuildID(address.key)
        var state: GuildState?
        var version: UInt64 = 0
        var owing: [ChannelID] = []
        do {
            if let loaded = try await services.guildLoading.load(id) {
                // A later owner has written already. What that has shown would be told once more by whoever comes from here (I2).
                guard loaded.newestEpoch <= epoch else { throw SlotLoss.notBegun }
                let invites = try await services.invites.list(guildID: id)
                let bans = try await allBans(of: id, services)
                services.users.remember(loaded.members.map(\.user))
                version = loaded.version
                owing = try await services.channelReads.withVoids(among: loaded.channels.map(\.id))
                state = GuildState(loaded, invites: invites, bans: bans)
            } else {
                state = nil
            }
        } catch let loss as SlotLoss {
            throw loss
        } catch {
            services.logger.warning("guild \(id) could not be read: \(error)")
            throw APIError.notCommitted
        }
        let loop = try EngineLoop.requireCurrent()
        try services.requireOwned(address.slot, at: epoch)
        for channel in state?.channels.keys ?? [:].keys {
            services.channels.learn(channel, ChannelLocation(guildID: id))
        }
        for entry in services.slotMemories.take(guild: id, at: epoch)?.presences ?? []
        where state?.isMember(entry.presence.userID) == true {
            state?.setPresence(entry.presence)
        }
        let home = GuildHome(guildID: id, epoch: epoch, state: state, version: version, loop: loop)
        // Channels of which somebody may show what never came to be, and whom nobody may ask for long.
        if !owing.isEmpty {
            Task { [owing] in for channel in owing { try? await services.channel(channel).wake() } }
        }
        return GuildActor(home, address: address, loop: loop, system: services.system)
    }

    private static func allBans(of id: GuildID, _ services: EngineServices) async throws(StoreError) -> [Ban] {
        var bans: [Ban] = []
        while true {
            let page = try await services.bans.list(guildID: id, after: bans.last?.userID, limit: Bans.pageLimit)
            bans += page.map(\.ban)
            if page.count < Bans.pageLimit { return bans }
        }
    }

    /// What the guild's next owner needs of what is not stored.
    var memory: GuildMemory {
        GuildMemory(guildID: home.guildID, presences: home.state?.presences.values.map(MemberPresence.init) ?? [])
    }

    /// Does nothing but bring the guild into memory.
    distributed func wake() {}

    // MARK: Commands

    /// Carries out a command of a person or bot. Changes are durable, and in force at every session, when it returns.
    /// - Throws: `APIError` in the contract's words; `SlotLoss`.
    distributed func perform(_ command: GuildCommand) async throws -> CommandReply {
        let people = try await unknownPeople(in: command)
        guard await turns.enter() else { throw APIError.notCommitted }
        defer { turns.leave() }
        if let reply = try await replyToEarlierTry(of: command) { return reply }
        let plan = try plan(command, people)
        guard !plan.changes.isEmpty else {
            if !command.operation.isRead { try await commitNothing() }
            return plan.reply
        }
        let identifiers = services.identifiers
        let notices = try plan.notices(of: home.guildID, members: home.state?.memberIDs ?? [], at: .now()) {
            () throws(APIError) in try identifiers.next()
        }
        let outbox = notices.isEmpty ? [] : [Statement.insertOutbox(notices)]
        let record = PerformedCommand(command.idempotencyKey, of: home.guildID, answered: plan.reply)
        try await commit(
            home.statements(for: plan) + outbox + (record.map { [.insertPerformedCommand($0)] } ?? []))
        if let record { performed.record(record.idempotencyKey, at: services.clock.milliseconds) }
        home.apply(plan)
        await settle(plan, notices)
        return plan.reply
    }

    /// What a change was answered that an earlier try has made: here, or at an owner that could not say so any more (I4).
    private func replyToEarlierTry(of command: GuildCommand) async throws(APIError) -> CommandReply? {
        guard !command.operation.isRead,
            let reply = try await services.reply(to: command.idempotencyKey, of: home.guildID, knowing: performed)
        else { return nil }
        // What the answer promises: it is in force, and whom it concerns has taken it in (`settle`).
        await confirm()
        await services.hint(command.subjects.map { StreamKey(kind: .user, id: $0) })
        return reply
    }

    /// What was asked for is so already. An owner that has lost the guild and does not know it yet must not say that, so the fence
    /// is asked; and what is so must be in force, as after a change.
    private func commitNothing() async throws {
        try await commit([])
        await confirm()
    }

    /// Commits control changes; returns when they are durable.
    func commit(_ statements: [Statement]) async throws {
        try await loop.commit(.statements(statements), slot: slot, epoch: home.epoch).get()
    }

    private func plan(_ command: GuildCommand, _ people: [UserID: User]) throws(APIError) -> GuildPlan {
        let identifiers = services.identifiers
        let planning = GuildPlanning(now: .now(), users: people) { () throws(APIError) in try identifiers.next() }
        if case .create = command.operation {
            guard home.state == nil else { throw .missingAccess }
            return try GuildState.found(home.guildID, command, planning)
        }
        guard let plan = try home.state?.plan(command, planning) else { throw .unknownGuild }
        return plan
    }

    /// The accounts that the command speaks of and the guild does not know.
    private func unknownPeople(in command: GuildCommand) async throws -> [UserID: User] {
        let ids = home.state?.unknownUsers(in: command) ?? [command.caller.userID]
        guard !ids.isEmpty else { return [:] }
        do { return try await services.userReads.batch(ids) } catch { throw APIError.notCommitted }
    }

    /// After the commit: the caller's answer waits until the change is in force (I7), and until those whom it concerns have
    /// taken in what it means for them, or cannot be reached now: then they find it in the outbox.
    private func settle(_ plan: GuildPlan, _ notices: [OutboxEntry]) async {
        for change in plan.changes {
            switch change {
            case .channelCreated(let channel):
                services.channels.learn(channel.id, ChannelLocation(guildID: home.guildID))
            case .guildCreated(let founding):
                for channel in founding.channels {
                    services.channels.learn(channel.id, ChannelLocation(guildID: home.guildID))
                }
            default: break
            }
        }
        await confirm()
        let people = notices.compactMap(\.target).filter { $0.kind == .user }
        if people.count <= Self.awaitedNotices {
            await services.hint(people)
        } else {
            let services = services
            Task.detached { await services.hint(people) }
        }
        for entry in notices { await carryOutPurge(entry) }
    }

    /// Returns when everybody who listens has applied what was published.
    private func confirm() async { await loop.confirm(home.publisher.key, upTo: home.publisher.position) }

    // MARK: Sessions

    /// A member's session asks for the guild. Its events are wanted from here on; the answer says as of where it is.
    distributed func open(_ request: GuildOpeningRequest) throws -> GuildOpening {
        guard home.state?.isDeleted == false,
            let opening = home.state?.opening(
                for: request.userID, largeThreshold: request.largeThreshold, wantsPresences: request.wantsPresences)
        else { throw APIError.unknownGuild }
        home.watch(request.userID, on: request.node)
        return GuildOpening(
            position: home.publisher.position, visibility: opening.visibility, body: opening.body)
    }

    func watch(_ userID: UserID, on node: NodeID) { home.watch(userID, on: node) }

    func unwatch(_ userID: UserID, on node: NodeID) { home.unwatch(userID, on: node) }

    /// A member's presence changed. It goes only where somebody listens (design 7).
    func receive(_ presence: Presence) {
        guard let event = home.state?.apply(presence), loop.relays.hasSubscribers(home.publisher.key) else { return }
        home.publish(event)
    }

    /// Op 8: members of the guild, for one session.
    distributed func members(_ request: MemberRequest, for userID: UserID) throws -> MemberChunks {
        guard home.state?.isMember(userID) == true, let bodies = home.state?.chunks(for: request) else {
            throw APIError.missingAccess
        }
        return MemberChunks(bodies: bodies)
    }
}
