import Collections
import Distributed
import FluxCluster
import FluxCore
import FluxStore

/// Owns one channel or DM: gives its messages their order, shows them at once, and answers when they are durable (design 4, 6).
///
/// Runs on the loop of its slot, with its guild. The work is spread over extensions: sending, editing, reactions, reading.
distributed actor ChannelActor: KeyedActor {
    typealias ActorSystem = ClusterActorSystem

    nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.unownedExecutor(for: id) }

    let channelID: ChannelID
    let conversation: any Conversation
    let loop: EngineLoop
    let body: ChannelEventBody
    let slot: Slot
    var state: ChannelState
    /// Messages that operations work on.
    var active: [MessageID: ActiveMessage] = [:]
    /// Sends that wait for what an earlier one of the same author refers to, so that an author's order is kept.
    var waitingSends: [UserID: [PendingSend]] = [:]
    /// Who waits for the fate of a message that a repeat of its nonce asked for again.
    var unsettledCreates: [MessageID: [SendAnswer]] = [:]
    /// Whether the oldest correction waits: for what it shows to be read, or for room in the lane.
    var correctionsWait = false
    /// Who waits until no correction is owed any more.
    private var correctionWaiters: [CheckedContinuation<Void, Never>] = []
    /// Whether the slot was lost, which the lane is the first to hear, or the actor let go. What the actor remembers of its last
    /// changes may then never have been stored: it takes no more commands, nor answers repeats, from that (I3).
    private(set) var isOver = false { didSet { if isOver { correctionsArePaid() } } }
    /// A message is pinned or unpinned when the one before it is stored so, or is not.
    let pinTurns = TurnQueue()
    var limits: ChannelRateLimits
    var slowmode = SlowmodeClock()
    /// How many times a DM began to read whether its people block one another.
    private var blockingReads: UInt64 = 0

    /// Told the message when it is durable; or an `APIError`, or `SlotLoss` where the new owner has to be asked.
    typealias SendAnswer = @Sendable (Result<Message, any Error>) -> Void

    init(
        channelID: ChannelID, slot: Slot, conversation: any Conversation, state: ChannelState, loop: EngineLoop,
        system: ClusterActorSystem
    ) {
        actorSystem = system
        self.channelID = channelID
        self.slot = slot
        self.conversation = conversation
        self.state = state
        self.loop = loop
        body = ChannelEventBody(channelID: channelID, guildID: state.guildID, epoch: state.epoch)
        if let guildID = state.guildID { loop.channelActivated(in: guildID) }
        if let direct = conversation as? DirectConversation { loop.directs[channelID] = direct }
        limits = ChannelRateLimits(loop.services.settings.channelLimits)
    }

    var canPassivate: Bool {
        !state.hasUnsettled && active.isEmpty && waitingSends.isEmpty && state.owedCorrections.isEmpty
    }

    func deactivated(_ reason: DeactivationReason) {
        isOver = true
        if let guildID = state.guildID { loop.channelDeactivated(in: guildID) }
        if let direct = loop.directs[channelID], direct === conversation { loop.directs[channelID] = nil }
        for resume in state.abandonWaiters() { resume() }
        for answers in unsettledCreates.values.joined() { answers(.failure(SlotLoss.underWay)) }
        unsettledCreates = [:]
    }

    var services: EngineServices { loop.services }
    var isDirect: Bool { state.guildID == nil }

    /// Does nothing but bring the channel into memory, where it does what an earlier owner has left to do.
    distributed func wake() {}

    /// Carries out a command of a person or bot.
    /// - Throws: `APIError` in the contract's words; `SlotLoss`.
    distributed func perform(_ command: ChannelCommand) async throws -> CommandReply {
        guard !isOver else { throw SlotLoss.notBegun }
        return switch command.operation {
        case .get: try get(command)
        case .send(let attachments): try await send(command, attachments: attachments)
        case .edit(let id, let attachments): try await edit(id, command, attachments: attachments)
        case .delete(let id): try await delete(id, command)
        case .bulkDelete: try await bulkDelete(command)
        case .history(let page, let limit): try await history(page, limit: limit, command)
        case .message(let id): try await message(id, command)
        case .addReaction(let id, let emoji): try await addReaction(emoji, to: id, command)
        case .removeReaction(let id, let emoji, let user):
            try await removeReaction(emoji, of: user, from: id, command)
        case .clearReactions(let id, let emoji): try await clearReactions(emoji, of: id, command)
        case .listReactions(let id, let emoji, let after, let limit):
            try await listReactions(emoji, of: id, after: after, limit: limit, command)
        case .typing: try typing(command)
        case .events(let after, let limit, let epoch):
            try await events(after: after, limit: limit, epoch: epoch, command)
        case .pins(let before, let limit, let legacy):
            try await pins(before: before, limit: limit, legacy: legacy, command)
        case .pin(let id): try await setPinned(true, id, command)
        case .unpin(let id): try await setPinned(false, id, command)
        }
    }

    // MARK: Rights

    /// What the caller may do here, having checked in the order of protocol 3.5 that the channel exists and may be viewed.
    func permissions(of caller: Caller) throws(APIError) -> Permissions {
        try conversation.permissions(of: caller.userID, in: channelID)
    }

    func require(_ needed: Permissions, of caller: Caller) throws(APIError) {
        guard try permissions(of: caller).isSuperset(of: needed) else { throw .missingPermissions }
    }

    /// What a caller has to be allowed to at the moment when a change of theirs is decided.
    struct WriteRight {
        let caller: Caller
        /// All of these.
        var needed: Permissions = []
        /// Of these at least one, where some are named.
        var oneOf: Permissions = []
    }

    /// Asks for a right anew. An operation that has waited, for Postgres or for a commit, may have been overtaken by a kick or
    /// by a change of permissions; once that is acknowledged, no later write is accepted (I7).
    func check(_ right: WriteRight) throws(APIError) {
        let granted = try permissions(of: right.caller)
        guard granted.isSuperset(of: right.needed), right.oneOf.isEmpty || !granted.isDisjoint(with: right.oneOf) else {
            throw .missingPermissions
        }
    }

    func requireMessages() throws(APIError) {
        guard let channel = conversation.channel(channelID) else { throw .unknownChannel }
        guard channel.kind.holdsMessages else { throw .wrongChannelKind }
    }

    // MARK: Committing

    /// Why the lane does not take a change.
    enum CommitRefusal: Error {
        /// It is at a bound; there will be room.
        case laneIsFull
        /// It takes nothing more.
        case laneIsClosed
    }

    /// Hands a change with its number to the lane. `finished` is called when its fate is known, after `state` was told.
    /// - Throws: if the lane does not take it; the number is free again then and nobody saw anything.
    func commit(
        _ change: Change, sequence: SequenceNumber,
        finished: @escaping @Sendable (isolated ChannelActor, LaneOutcome.Result) -> Void
    ) throws(CommitRefusal) {
        do throws(StoreError) {
            try loop.commit(change, slot: slot, epoch: state.epoch) { [weak self] result in
                guard let self else { return }
                self.assumeIsolated { channel in
                    if result == .lost { channel.isOver = true }
                    let ready = channel.state.settled(sequence)
                    finished(channel, result)
                    for resume in ready { resume() }
                }
            }
        } catch {
            state.returnSequence(sequence)
            if case .overloaded = error { throw .laneIsFull }
            throw .laneIsClosed
        }
    }

    /// Decides, shows and commits one logged change, and returns when it is durable.
    /// - Parameters:
    ///   - right: what the caller has to be allowed to now, however long ago the operation began (I7); nil for what the
    ///     channel does by itself.
    ///   - makeBody: the event's `d`, given its seq.
    ///   - makeChange: what is stored, given its log entry.
    ///   - messages: the messages that are changed, each as it was and as it becomes (nil: deleted); if the change comes to
    ///     nothing, everybody is shown what stands of them.
    ///   - reactions: the reactions that are given or taken back, asked for when the change is decided; the same holds for them.
    ///   - shown: brings what operations work on up to date, once the lane has taken the change.
    func record(
        _ kind: EventKind, about messageID: MessageID?, by right: WriteRight?, makeBody: (SequenceNumber) -> [UInt8],
        makeChange: (LogEntry) -> Change, messages: [MessageTransition] = [],
        reactions: () -> [ReactionChange] = { [] },
        shown: (isolated ChannelActor) -> Void
    ) async throws {
        while loop.isLaneFull(of: slot) {
            guard await loop.roomForCommit(slot) else { throw APIError.notCommitted }
        }
        guard !isOver else { throw SlotLoss.notBegun }
        if let right { try check(right) }
        let reactions = reactions()
        let sequence = state.takeSequence()
        let payload = makeBody(sequence)
        let entry = LogEntry(
            channelID: channelID, seq: sequence, epoch: state.epoch, kind: kind, messageID: messageID, payload: payload)
        let fate = LoopConfined<CheckedContinuation<LaneOutcome.Result, Never>?>(nil)
        let early = LoopConfined<LaneOutcome.Result?>(nil)
        do throws(CommitRefusal) {
            try commit(makeChange(entry), sequence: sequence) { channel, result in
                channel.settle(messages, reactions, by: sequence, result)
                if let continuation = fate.value {
                    continuation.resume(returning: result)
                } else {
                    early.value = result
                }
            }
        } catch {
            throw APIError.notCommitted
        }
        for transition in messages {
            // It may have waited for room, and another change have come before it.
            let former = active[transition.former.id]?.message ?? transition.former
            if let message = transition.message {
                state.edited(message, from: former, by: sequence)
            } else {
                state.deleted([former], by: sequence)
            }
        }
        for change in reactions { state.reacted(change, by: sequence) }
        shown(self)
        announce(kind, payload, LogMark(sequence: sequence, messageID: messageID))
        let result = await withCheckedContinuation { continuation in
            if let result = early.value { continuation.resume(returning: result) } else { fate.value = continuation }
        }
        try result.get()
    }

    /// A message before and after a change.
    struct MessageTransition {
        let former: Message
        /// Nil: it is deleted.
        let message: Message?
    }

    /// The fate of a change of messages or reactions is known. One that will never be durable is taken back.
    private func settle(
        _ messages: [MessageTransition], _ reactions: [ReactionChange], by sequence: SequenceNumber,
        _ result: LaneOutcome.Result
    ) {
        // What is lost is for the next owner to say.
        guard result != .lost else { return }
        for transition in messages {
            let id = transition.former.id
            guard
                state.changeSettled(id, by: sequence, as: transition.message, isDurable: result == .committed),
                let correction = state.owedCorrections.last
            else { continue }
            takeBack(correction)
        }
        for change in reactions {
            guard state.reactionSettled(change, by: sequence, isDurable: result == .committed),
                let correction = state.owedCorrections.last
            else { continue }
            takeBack(correction)
        }
    }

    /// Shows an entry of the log to everyone who listens.
    func announce(_ kind: EventKind, _ payload: [UInt8], _ entry: LogMark) {
        services.measurements.bodyEncoded()
        conversation.advanced(
            channelID, lastMessageID: state.lastMessageID, lastSequence: entry.sequence, epoch: state.epoch)
        conversation.publish(kind, body: payload, in: channelID, entry)
    }

    /// What was asked for is so already. An owner that has lost the channel and does not know it yet must not say that, nor one whose
    /// last change comes to nothing: the fence is asked, behind that change.
    func commitNothing() async throws {
        try await loop.commit(.statements([]), slot: slot, epoch: state.epoch).get()
    }

    /// Nothing is owed, or never will be paid here.
    func correctionsArePaid() {
        let waiters = correctionWaiters
        correctionWaiters = []
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when everything that is live now is final, so that what is read next stays true (I5).
    func settle() async {
        // Whoever reads what stands hears behind that no more of what was shown in vain: some count what they are told.
        payCorrections()
        if !state.owedCorrections.isEmpty, !isOver {
            await withCheckedContinuation { correctionWaiters.append($0) }
        }
        guard state.hasUnsettled else { return }
        await withCheckedContinuation { continuation in
            state.whenSettled { continuation.resume() }
        }
    }
}

extension ChannelActor {
    /// Two recipients of a DM have blocked or unblocked one another.
    ///
    /// Until it is read which of the two, nobody gets through: a block is in force when it is acknowledged (I7), and nobody is
    /// written to against their will.
    func relationshipsChanged() {
        guard let direct = conversation as? DirectConversation else { return }
        direct.setBlocked(true)
        blockingReads += 1
        let read = blockingReads
        Task { await self.refresh(direct, read) }
    }

    private func refresh(_ direct: DirectConversation, _ read: UInt64) async {
        guard let channel = direct.channel(channelID) else { return }
        do {
            let isBlocked = try await DirectConversation.isBlocked(channel, services)
            // An older read may come back behind a later one.
            if read == blockingReads { direct.setBlocked(isBlocked) }
        } catch {
            services.logger.warning("the relationships of conversation \(channelID) could not be read: \(error)")
        }
    }
}
