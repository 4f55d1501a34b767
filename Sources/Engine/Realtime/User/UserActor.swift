import Distributed
import FluxCluster
import FluxCore
import FluxStore

import struct NIOCore.Scheduled

/// Owns one user: knows their sessions, tells others of their presence, decides what belongs to them alone, and passes on to
/// their sessions what concerns them (design 4).
///
/// The work is spread over extensions: commands, the outbox, presence, READY, the profile, conversations.
distributed actor UserActor: KeyedActor {
    typealias ActorSystem = ClusterActorSystem

    nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.unownedExecutor(for: id) }

    let userID: UserID
    let slot: Slot
    let epoch: Epoch
    let loop: EngineLoop
    var publisher: StreamPublisher
    var user: User { didSet { ownDigest = nil } }
    /// Relationships, read states, settings and notes.
    var state: UserState
    /// Oldest first.
    var guildIDs: [GuildID] { didSet { ownDigest = nil } }
    /// The DMs that the user is known to be in, open or not, as they were when they were read.
    var directs: [ChannelID: Channel]
    /// DMs that the user has open.
    var openDirects: Set<ChannelID> { didSet { ownDigest = nil } }
    /// How far the conversations were shown.
    var conversations: ConversationLogs
    /// When the conversations are compared with what is stored, if that is due.
    var comparison: Scheduled<Void>?
    /// Conversations of `openDirects` that are not stored as open yet, and who waits for that.
    private var unsettledOpenings = 0
    private var openingWaiters: [CheckedContinuation<Void, Never>] = []
    var presence: PresenceBoard
    /// What others were told last.
    var shownPresence: Presence
    /// What friends show, for the presences of READY; those who are offline are missing.
    var friendPresences: [UserID: Presence] = [:]
    /// Asking the friends how they look, once in the actor's life; later they tell by themselves.
    var friendsAsked: Task<Void, Never>?
    /// Changes are planned, committed and applied one after the other.
    let turns = TurnQueue()
    /// The edge's keys of changes that may come again.
    var performed: PerformedKeys
    /// A look into the outbox that waits for its turn; who wants one meanwhile waits for the same.
    var nextLook: Task<Void, Never>?
    /// What was read with the account, until it is used or too old.
    private var fresh: FreshUser?
    /// Whether the outbox was looked into since the activation.
    var isCaughtUp = false
    /// Coalesced values whose fate is not known.
    var openCounters = 0
    /// Who waits until there are none.
    var countersSettled: [CheckedContinuation<Void, Never>] = []
    /// When the actor has something to do by itself.
    var alarm: Scheduled<Void>?

    /// Stands for what the actor itself knows of what is shown; nil if it has to be computed anew.
    private var ownDigest: UInt64?

    /// What this owner's part of the stream follows.
    private(set) var succession: UserSuccession
    /// What the user has read since shortly before this owner began.
    let lateMarks: [ReadMark]
    /// Whether what the owner before this one may have told in vain was told again.
    var isMadeUpFor = false

    init(
        _ loaded: LoadedUser, address: ActorAddress, epoch: Epoch, loop: EngineLoop, system: ClusterActorSystem
    ) {
        actorSystem = system
        userID = loaded.user.id
        slot = address.slot
        self.epoch = epoch
        self.loop = loop
        performed = PerformedKeys(at: loop.services.clock.milliseconds)
        user = loaded.user
        state = UserState(loaded)
        guildIDs = loaded.guildIDs
        fresh = FreshUser(loaded, at: loop.services.clock.milliseconds)
        directs = loaded.directMessages.reduce(into: [:]) { $0[$1.channel.id] = $1.channel }
        openDirects = Set(loaded.directMessages.filter(\.isOpen).map(\.channel.id))
        presence = PresenceBoard()
        shownPresence = .offline(loaded.user.id)
        conversations = ConversationLogs(of: loaded.user.id)
        for direct in loaded.directMessages { conversations.begin(direct.channel) }
        lateMarks = Self.lateMarks(in: loaded, at: .now())
        publisher = loop.beginStream(.user(loaded.user.id), epoch: epoch)
        succession = UserSuccession(epoch: epoch, start: publisher.position)
    }

    /// Takes over what the former owner has left; before the first call. - Returns: what is to be done about the conversations.
    private func recall(_ memory: UserMemory) -> [ConversationLogs.Step] {
        let steps = conversations.recall(memory.conversations)
        // What was stored since, by whoever, was shown to nobody.
        if version == memory.version { succession.inherited = memory.position }
        presence.recall(memory.sessions)
        // What became of them while the user had no owner was told to nobody.
        for node in presence.nodes { loop.rollCall.doubt(node) }
        refreshChosenPresence()
        // Nothing has changed for others.
        shownPresence = presence.merged(userID)
        return steps
    }

    /// Something was not shown because nobody listens.
    func passOver() { succession.passedOver(after: publisher.position) }

    /// What the user's next owner needs of what is not stored.
    var memory: UserMemory {
        UserMemory(
            userID: userID, position: publisher.position, version: version, sessions: presence.memory,
            conversations: conversations.memory)
    }

    var services: EngineServices { loop.services }

    var canPassivate: Bool {
        presence.sessionCount == 0 && turns.isIdle && openCounters == 0 && unsettledOpenings == 0
            && state.nextReceipt == nil
            && !loop.relays.hasSubscribers(publisher.key)
    }

    func deactivated(_ reason: DeactivationReason) {
        alarm?.cancel()
        comparison?.cancel()
        for waiting in countersSettled { waiting.resume() }
        countersSettled = []
        for waiter in openingWaiters { waiter.resume() }
        openingWaiters = []
        loop.endStream(publisher.key, view, reason)
        if loop.userActors[userID] === self { loop.userActors[userID] = nil }
    }

    /// Makes the actor of a user from what is stored.
    static func activate(
        _ address: ActorAddress, epoch: Epoch, services: EngineServices
    ) async throws -> UserActor {
        let id = UserID(address.key)
        do {
            guard let loaded = try await services.userLoading.value(of: id) else { throw APIError.unknownUser }
            services.users.remember([loaded.user])
            try services.requireOwned(address.slot, at: epoch)
            let actor = UserActor(
                loaded, address: address, epoch: epoch, loop: try EngineLoop.requireCurrent(),
                system: services.system)
            begin(actor, with: services.slotMemories.take(user: id, at: epoch))
            return actor
        } catch let error as StoreError {
            services.logger.warning("a user could not be read: \(error)")
            throw APIError.notCommitted
        }
    }

    /// On the actor's loop, which activations run on.
    private static func begin(_ actor: UserActor, with memory: UserMemory?) {
        actor.assumeIsolated { actor in
            actor.loop.userActors[actor.userID] = actor
            let steps = memory.map { actor.recall($0) } ?? []
            actor.succession.inheritedVersion = actor.version
            actor.perform(steps)
        }
    }

    // MARK: Sessions

    /// A session begins: from here on it counts, and what READY says of the user is as of `position` or later.
    distributed func open(_ attachment: SessionAttachment) async throws -> UserOpening {
        // What comes while the parts are read is said twice, in them and after them, but never not at all (I6).
        var position = publisher.position
        var parts = try await readyParts(isBot: attachment.isBot)
        if !parts.outbox.isEmpty {
            // READY lists no guild that the user has been put out of, though the guild's hint may be lost.
            await takeFromOutbox()
            position = publisher.position
            parts = try await readyParts(isBot: attachment.isBot)
        }
        presence.begin(attachment.session, attachment.presence)
        refreshChosenPresence()
        announcePresence(anew: true)
        let sections = attachment.isBot ? [] : try await personSections(parts)
        var writer = JSONWriter()
        user.writeOwn(to: &writer)
        return UserOpening(position: position, ownUser: writer.bytes, guildIDs: guildIDs, sections: sections)
    }

    /// What was read with the account, if that was just now and nothing was told since: then nothing is missing in it that does
    /// not come behind the stream's position. Once.
    func takeFreshParts() -> ReadyParts? {
        defer { fresh = nil }
        guard publisher.position == succession.start, let fresh, fresh.isGood(at: services.clock.milliseconds) else {
            return nil
        }
        return fresh.parts
    }

    /// What became of a session.
    func heard(_ news: SessionNews) {
        presence.apply(news.news, to: news.session, at: news.home)
        announcePresence()
    }

    /// The sessions that are held to live on a node.
    func sessions(on node: NodeID) -> [RollCallEntry] {
        presence.sessions(on: node).map { RollCallEntry(userID: userID, session: $0, node: node) }
    }

    /// A session is not where it is held to be. Nothing, if it is held to be elsewhere by now.
    func sessionIsGone(_ session: SessionKey, from node: NodeID) {
        guard presence.node(of: session) == node else { return }
        presence.end(session)
        announcePresence()
    }

    /// A login has ended: its sessions are closed.
    distributed func loginEnded(_ loginID: LoginID) async {
        await enforce(.loginEnded(loginID))
    }

    /// Every credential of the user is void: all sessions are closed.
    distributed func credentialsRevoked() async {
        await enforce(.credentialsRevoked)
    }

    /// Returns when no session goes on against the control, also where this actor dies right after (I7).
    private func enforce(_ control: StreamControl) async {
        emit(.sessionsReplace, body: [], audience: .nobody, control: control)
        await loop.confirm(publisher.key, upTo: publisher.position)
    }

    // MARK: Events

    /// What of the actor's durable state has been shown once an event is.
    enum Shown {
        /// All of it.
        case all
        /// All of it, with the conversations' logs as this digest says.
        case conversations(UInt64)
        /// Another event follows that belongs to it.
        case part
    }

    /// Passes an event to the user's sessions.
    func emit(
        _ kind: EventKind, body: [UInt8], intents: Intents = [], audience: Audience = .everyone,
        control: StreamControl? = nil, shown: Shown = .all
    ) {
        if user.isBot, control == nil, kind.isForPeopleOnlyInDirect { return }
        let mark: StreamMark? =
            switch shown {
            case .all: .version(version)
            case .conversations(let digest): .version(stateDigest() &+ digest)
            case .part: nil
            }
        loop.publish(
            publisher.next(
                kind, body: body, audience: audience, intents: intents, subject: nil, control: control, mark: mark),
            of: publisher.key)
    }

    /// Stands for all durable things that the user's sessions are shown: equal exactly where they are, as good as surely. By it a
    /// later owner tells whether anything was missed (I6).
    var version: UInt64 { stateDigest() &+ conversations.digest }

    /// What a relay has shown that has everything up to now.
    var view: RelayView { RelayView(version: version) }

    private func stateDigest() -> UInt64 {
        if let ownDigest { return ownDigest &+ state.digest }
        var writer = JSONWriter()
        user.writeOwn(to: &writer)
        var sum = StableHash.of(.face, userID) { $0.add(writer.bytes) }
        for id in guildIDs { sum &+= StableHash.of(.guild, id) }
        for id in openDirects { sum &+= StableHash.of(.openConversation, id) }
        ownDigest = sum
        return sum &+ state.digest
    }

    // MARK: Committing

    /// Commits control changes; returns when they are durable.
    /// - Parameter record: the command that they carry out, if it may come again.
    func commit(_ statements: [Statement], _ record: PerformedCommand? = nil) async throws {
        try await outcome(of: statements, record).get()
    }

    /// What was asked for is so already. An owner that has lost the user and does not know it yet must not say that: the fence is
    /// asked.
    func commitNothing() async throws { try await commit([]) }

    /// Commits that a conversation is open, without making its event wait.
    func commitOpening(of channelID: ChannelID) {
        unsettledOpenings += 1
        do {
            try loop.commit(
                .statements([.openDirectMessage(channelID, userID: userID)]), slot: slot, epoch: epoch
            ) { [weak self] _ in self?.assumeIsolated { $0.openingSettled() } }
        } catch {
            openingSettled()
        }
    }

    private func openingSettled() {
        unsettledOpenings -= 1
        guard unsettledOpenings == 0 else { return }
        let waiting = openingWaiters
        openingWaiters = []
        for waiter in waiting { waiter.resume() }
    }

    /// Returns when every conversation that was opened so far is stored as open, as far as it will ever be.
    func settleOpenings() async {
        guard unsettledOpenings > 0 else { return }
        await withCheckedContinuation { openingWaiters.append($0) }
    }

    /// Hands a coalesced value to the lane.
    func commit(_ counter: UserWrites.Counter, _ pending: PendingCounters) {
        openCounters += 1
        pending.began()
        do {
            try loop.commit(.counter(counter.key, counter.statement), slot: slot, epoch: epoch) { [weak self] result in
                pending.ended(result)
                self?.assumeIsolated { $0.counterSettled() }
            }
        } catch {
            pending.ended(.withdrawn)
            counterSettled()
        }
    }

    private func counterSettled() {
        openCounters -= 1
        guard openCounters == 0 else { return }
        for waiting in countersSettled { waiting.resume() }
        countersSettled = []
    }

    /// Returns when the fate of every coalesced value is known.
    func settleCounters() async {
        guard openCounters > 0 else { return }
        await withCheckedContinuation { countersSettled.append($0) }
    }

    // MARK: The alarm

    /// Sets the alarm to when the actor has to do something by itself: a receipt may go, or a custom status ends.
    func setAlarm() {
        alarm?.cancel()
        alarm = nil
        let now = Timestamp.now()
        let moments = [state.nextReceipt, state.settings.customStatusEnd(after: now)].compactMap(\.self)
        guard let moment = moments.min() else { return }
        // At most an hour: it is looked at again then.
        let microseconds = min(max(0, moment.microseconds - now.microseconds), 3_600_000_000)
        alarm = loop.executor.eventLoop.scheduleTask(in: .microseconds(microseconds)) { [weak self] in
            self?.assumeIsolated { $0.alarmRang() }
        }
    }

    private func alarmRang() {
        alarm = nil
        sendReceipts()
        refreshChosenPresence()
        announcePresence()
        setAlarm()
    }
}
