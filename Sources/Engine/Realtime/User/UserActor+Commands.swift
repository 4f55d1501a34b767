import Distributed
import FluxCluster
import FluxCore
import FluxStore

extension UserActor {
    /// Carries out a command of the user themselves. Changes are durable when it returns.
    /// - Throws: `APIError` in the contract's words; `SlotLoss`.
    distributed func perform(_ command: UserCommand) async throws -> CommandReply {
        await catchUp()
        switch command.operation {
        case .get: return .ok { user.writeOwn(to: &$0) }
        case .updateProfile: return try await updateProfile(command)
        case .listDirectMessages: return try await listDirectMessages()
        case .openDirectMessage: return try await openDirectMessage(command)
        case .closeDirectMessage(let id): return try await closeDirectMessage(id, command)
        default: return try await decide(command)
        }
    }

    /// Plans a command, commits what it comes to, applies it and tells of it.
    private func decide(_ command: UserCommand) async throws -> CommandReply {
        guard !user.isBot else { throw APIError.onlyPeople }
        guard await turns.enter() else { throw APIError.notCommitted }
        let pending = PendingCounters()
        let reply: CommandReply
        do {
            defer { turns.leave() }
            if let reply = try await replyToEarlierTry(of: command) { return reply }
            let plan = try state.plan(command, try await planning(for: command))
            if plan.changes.isEmpty, command.operation.isRecorded { try await commitNothing() }
            try await carryOut(plan, pending, record(of: command, answered: plan.reply))
            reply = plan.reply
        }
        // How far one has read is written at most once a second; who acknowledges next need not wait for that.
        try await pending.outcome().get()
        return reply
    }

    /// Commits the changes of a plan in one mutation, and coalesced values beside it; then applies them and tells of them.
    /// - Parameter record: the command that they carry out, if it may come again.
    func carryOut(_ plan: UserPlan, _ pending: PendingCounters, _ record: PerformedCommand? = nil) async throws {
        guard !plan.changes.isEmpty else { return }
        // Values on their way would bring back what is deleted now.
        if plan.withdrawsReceipts { await settleCounters() }
        let writes = state.writes(for: plan.changes, at: .now())
        if !writes.statements.isEmpty { try await commit(writes.statements, record) }
        for counter in writes.counters { commit(counter, pending) }
        let outcome = state.apply(plan.changes)
        await settle(plan, outcome)
    }

    private func settle(_ plan: UserPlan, _ outcome: UserOutcome) async {
        for (index, event) in outcome.events.enumerated() {
            emit(event.kind, body: event.body, shown: index == outcome.events.count - 1 ? .all : .part)
        }
        if outcome.presenceChanged {
            refreshChosenPresence()
            announcePresence()
        }
        for case .relationship(let side, _) in plan.changes where side.kind != .friend {
            friendPresences[side.peerID] = nil
        }
        for peerID in outcome.newFriends { exchangePresence(with: peerID) }
        sendReceipts()
        setAlarm()
        let targets = plan.notices.compactMap(\.target)
        if !targets.isEmpty {
            let services = services
            // Not waited for: the other one's actor may be waiting for this one's turn.
            Task.detached { await services.hint(targets) }
        }
        for peerID in outcome.blockingChanged { await tellConversation(with: peerID) }
    }

    /// The user's DM with somebody has to know that one has blocked the other, or does so no more, before that is
    /// acknowledged (I7).
    func tellConversation(with peerID: UserID) async {
        do {
            guard let channelID = try await services.directMessages.find(userID, peerID) else { return }
            let address = ChannelLocation(guildID: nil).address(of: channelID)
            _ = try await services.system.invoke(ChannelCalls.relationshipsChanged, on: address, Nothing())
        } catch {
            services.logger.warning("a conversation of user \(userID) could not be told of a block: \(error)")
        }
    }

    // MARK: What planning needs

    private func planning(for command: UserCommand) async throws -> UserPlanning {
        let identifiers = services.identifiers
        var planning = UserPlanning(now: .now()) { () throws(APIError) in try identifiers.next() }
        do {
            let unknown = state.unknownUsers(in: command)
            if !unknown.isEmpty { planning.users = try await services.users.users(unknown) }
            switch command.operation {
            case .requestFriend(let id), .setRelationship(let id):
                let settings = UserSettings(stored: try await services.userSettings.find(of: id))
                if !settings.takesFriendRequests { planning.closedUsers = [id] }
            case .receipts(let id):
                let channel = try await reachable([id])[id]
                guard case .direct? = channel else {
                    throw channel == nil ? APIError.missingAccess : APIError.wrongChannelKind
                }
                planning.receipts = try await services.directMessages.receipts(in: id)
            case .updateGuildSettings(let id):
                guard guildIDs.contains(id) else { throw APIError.missingAccess }
            case .acknowledge(let channelID, _):
                try await gather(state.unknownChannels(in: command), into: &planning)
                guard !planning.unreachable.contains(channelID) else { throw APIError.missingAccess }
            case .acknowledgeMany:
                try await gather(state.unknownChannels(in: command), into: &planning)
            default: break
            }
        } catch is StoreError { throw APIError.notCommitted }
        return planning
    }

    /// Where an ack may go to.
    private enum Reachable {
        case guild
        case direct(Channel)
    }

    private func gather(
        _ asked: [(channelID: ChannelID, messageID: MessageID)], into planning: inout UserPlanning
    ) async throws {
        let known = try await reachable(asked.map(\.channelID))
        planning.unreachable = Set(asked.map(\.channelID).filter { known[$0] == nil })
        for case (let id, .direct(let channel)) in known { planning.directChannels[id] = channel }
        let direct = asked.filter { planning.directChannels[$0.channelID] != nil }
        guard !direct.isEmpty, state.settings.readReceipts else { return }
        planning.sequences = try await services.messages.sequences(of: direct)
    }

    /// Those of the channels that the user is in, as a member of the guild or as a recipient. What is not at hand is read
    /// in one query.
    /// - Throws: `APIError.unknownChannel` if one alone is asked for and does not exist; `StoreError`.
    private func reachable(_ ids: [ChannelID]) async throws -> [ChannelID: Reachable] {
        var reachable: [ChannelID: Reachable] = [:]
        var unknown: [ChannelID] = []
        for id in Set(ids) {
            if let channel = directs[id] {
                reachable[id] = .direct(channel)
            } else if let guildID = services.channels.known(id)?.guildID {
                if guildIDs.contains(guildID) { reachable[id] = .guild }
            } else {
                unknown.append(id)
            }
        }
        guard !unknown.isEmpty else { return reachable }
        let found = try await services.channelReads.batch(unknown)
        if ids.count == 1, found.isEmpty { throw APIError.unknownChannel }
        for (id, channel) in found {
            services.channels.learn(id, ChannelLocation(guildID: channel.guildID))
            if let guildID = channel.guildID {
                if guildIDs.contains(guildID) { reachable[id] = .guild }
            } else if channel.recipients.contains(userID) {
                directs[id] = channel
                reachable[id] = .direct(channel)
            }
        }
        return reachable
    }

    // MARK: Reading

    /// The user has sent a message: everything up to it counts as read.
    func sent(_ mark: SentMark) {
        let plan = state.plan(sent: mark.messageID, in: mark.channelID)
        guard !plan.changes.isEmpty else { return }
        let pending = PendingCounters()
        for counter in state.writes(for: plan.changes, at: .now()).counters { commit(counter, pending) }
        _ = state.apply(plan.changes)
    }

    /// Lets others of DMs know how far the user has read, as far as they may be told now.
    func sendReceipts() {
        for outgoing in state.takeReceipts(at: .now()) {
            for recipient in outgoing.recipients {
                services.system.invoke(
                    UserCalls.receipt, on: .user(recipient), ReceiptNews(outgoing.receipt), replyOn: loop.index
                ) { _ in }
            }
        }
    }

    /// Somebody else of a DM has read.
    func receive(_ receipt: Receipt) {
        guard let event = state.receiptEvent(receipt) else { return }
        emit(event.kind, body: event.body)
    }
}
