import Distributed
import FluxCluster
import FluxCore
import FluxStore

/// One send on its way through the channel.
struct PendingSend: Sendable {
    let caller: Caller
    let body: JSON
    let attachments: [Attachment]
    /// The edge's own name for the request, under which it may send it again; nil where the nonce is that (op 100).
    var idempotencyKey: UInt64?
    /// Whether a repeat of the nonce is the same message even if the body does not ask for it (op 100).
    let enforcesNonce: Bool
    /// Whether it still has to be counted; a send over REST was counted at the edge, where its headers are made.
    let countsAgainstLimit: Bool
    /// It was counted, and found acceptable, before it had to wait for room in the lane.
    var hasBeenCounted = false
    let answer: ChannelActor.SendAnswer
}

extension ChannelActor {
    /// REST: sends and answers with the message once it is durable.
    func send(_ command: ChannelCommand, attachments: [Attachment]) async throws -> CommandReply {
        let message = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Message, any Error>) in
            accept(
                PendingSend(
                    caller: command.caller, body: command.body, attachments: attachments,
                    idempotencyKey: command.idempotencyKey == 0 ? nil : command.idempotencyKey, enforcesNonce: false,
                    countsAgainstLimit: false, answer: { continuation.resume(with: $0) }))
        }
        return CommandReply(status: 200, body: try await render(message, for: command.caller.userID))
    }

    /// Takes in one send. The answer comes when the message is durable, or at once if it is refused.
    ///
    /// Nothing here waits, except a send that refers to something which is not at hand, whose author's later ones stay behind it,
    /// and all of them while the lane is full.
    func accept(_ send: PendingSend) {
        guard !isOver else { return send.answer(.failure(SlotLoss.notBegun)) }
        guard !loop.isLaneFull(of: slot) else { return waitForRoom(send) }
        if waitingSends[send.caller.userID] != nil {
            waitingSends[send.caller.userID]?.append(send)
            return
        }
        do {
            try decide(send, reference: nil)
        } catch {
            send.answer(.failure(error))
        }
    }

    /// What a send refers to, once it has been looked up.
    enum ResolvedReference {
        case found(Message, author: User)
        case missing
    }

    /// Keeps a send until the lane has room. It is refused if that takes too long.
    private func waitForRoom(_ send: PendingSend) {
        let isWaiting = loop.waitForLane(of: slot) { [weak self] in
            guard let self else { return send.answer(.failure(SlotLoss.notBegun)) }
            self.assumeIsolated { $0.accept(send) }
        } giveUp: {
            send.answer(.failure(APIError.notCommitted))
        }
        if !isWaiting { send.answer(.failure(APIError.notCommitted)) }
    }

    private func decide(_ send: PendingSend, reference: ResolvedReference?) throws {
        // It may have waited for what it refers to.
        guard !isOver else { throw SlotLoss.notBegun }
        let caller = send.caller
        let now = services.clock.wallMilliseconds
        let key = send.idempotencyKey.map { NonceTable.Key(authorID: caller.userID, idempotencyKey: $0) }
        // The same request again, whose answer was lost: whatever has changed since, it has been carried out.
        if let key, let earlier = state.nonces.message(of: key, at: now) { return answerRepeat(earlier, send) }
        var permissions = try permissions(of: caller)
        try requireMessages()
        guard permissions.contains(.sendMessages) else { throw APIError.missingPermissions }
        try conversation.checkMaySend(caller.userID)
        let draft = try MessageDraft(json: send.body)
        let nonce = draft.nonceText.map { NonceTable.Key(authorID: caller.userID, nonce: $0) }
        if let nonce, send.enforcesNonce || draft.enforceNonce, let earlier = state.nonces.message(of: nonce, at: now) {
            return answerRepeat(earlier, send)
        }
        if nonce != nil || key != nil, let wait = state.timeUntilRoomForNonce(at: now) {
            throw APIError.rateLimited(retryAfter: Double(wait) / 1000)
        }
        if send.countsAgainstLimit, !send.hasBeenCounted { try takeBudget(.messageCreate, of: caller.userID) }
        if !send.attachments.isEmpty, !permissions.contains(.attachFiles) { throw APIError.missingPermissions }
        try draft.checkNotEmpty(fileCount: send.attachments.count)
        if !send.hasBeenCounted {
            try slowmode.take(
                caller.userID, seconds: permissions.contains(.bypassSlowmode) ? 0 : slowmodeSeconds,
                at: services.clock.milliseconds)
        }
        guard let author = conversation.participant(caller.userID) else { throw APIError.missingAccess }

        var referenced: Message.Referenced = .absent
        var messageReference: MessageReference?
        var repliedTo: User?
        if let wanted = draft.reference {
            guard permissions.contains(.readMessageHistory) else { throw APIError.missingPermissions }
            guard let reference = reference ?? referenceAtHand(wanted) else { return lookUp(wanted, for: send) }
            switch reference {
            case .found(let message, let user):
                messageReference = MessageReference(
                    kind: wanted.kind, channelID: channelID, messageID: message.id, guildID: state.guildID)
                repliedTo = user
                referenced = .message(encodeReferenced(message, author: user))
            case .missing where wanted.failIfNotExists:
                throw APIError.form(
                    ["message_reference"], code: "REPLIES_UNKNOWN_MESSAGE", message: "Unknown message")
            case .missing: break
            }
        }
        if !permissions.contains(.embedLinks) { permissions.remove(.mentionEveryone) }
        let mentions = resolveMentions(of: draft, permissions: permissions, repliedTo: repliedTo)
        let message = Message(
            id: try services.identifiers.next(above: state.lastMessageID), channelID: channelID, guildID: state.guildID,
            authorID: caller.userID, kind: messageReference?.kind == .reply ? .reply : .plain, content: draft.content,
            tts: draft.tts, mentionEveryone: mentions.everyone, mentions: mentions.users.map(\.id),
            mentionRoles: mentions.roles, attachments: send.attachments, embeds: draft.embeds,
            components: draft.components, stickerIDs: draft.stickerIDs, flags: draft.flags, nonce: draft.nonce,
            reference: messageReference, seq: 0, epoch: state.epoch)
        do throws(CommitRefusal) {
            try show(
                message, by: author, mentions: mentions.users, referenced: referenced, nonce: nonce, key: key,
                answers: [send.answer])
        } catch .laneIsFull {
            var counted = send
            counted.hasBeenCounted = true
            waitForRoom(counted)
        } catch {
            throw APIError.notCommitted
        }
    }

    /// Gives a new message its number, hands it to the lane and shows it to everyone (design 6: the broadcast does not wait
    /// for the commit).
    func show(
        _ unnumbered: Message, by author: Participant, mentions: [User], referenced: Message.Referenced,
        nonce: NonceTable.Key?, key: NonceTable.Key? = nil, answers: [SendAnswer]
    ) throws(CommitRefusal) {
        var message = unnumbered
        let sequence = state.takeSequence()
        message.seq = sequence
        let shown = message
        let row = MessageRow(shown, idempotencyKey: key?.idempotencyKey)
        try commit(.createMessage(row), sequence: sequence) { channel, result in
            channel.finishCreate(shown, nonce: nonce, key: key, result)
        }
        unsettledCreates[shown.id] = answers
        state.created(shown, nonce: nonce, key: key)
        services.measurements.messageAccepted()
        var writer = JSONWriter()
        shown.write(
            to: &writer, author: author.user, mentions: mentions, referenced: referenced,
            guildEvent: state.guildID.map { Message.GuildContext(guildID: $0, member: author.member) },
            mediaBase: services.settings.mediaBase)
        announce(.messageCreate, writer.bytes, LogMark(sequence: sequence, messageID: shown.id))
    }

    /// One use of a limit, for the edge.
    func takeBudget(_ request: BudgetRequest) -> RateWindow.Decision? {
        limits.take(request.bucket, by: request.userID, at: services.clock.milliseconds)
    }

    /// Counts one use of a limit that is the caller's alone.
    func takeBudget(_ bucket: ChannelBucket, of userID: UserID) throws(APIError) {
        guard let decision = limits.take(bucket, by: userID, at: services.clock.milliseconds), !decision.isAllowed
        else {
            return
        }
        throw .rateLimited(retryAfter: Double(decision.resetAfterMilliseconds) / 1000)
    }

    private var slowmodeSeconds: Int { conversation.channel(channelID)?.slowmodeSeconds ?? 0 }

    /// A repeat of a nonce: the first message answers, as soon as it is final.
    private func answerRepeat(_ earlier: MessageID, _ send: PendingSend) {
        if unsettledCreates[earlier] != nil {
            unsettledCreates[earlier]?.append(send.answer)
        } else if let message = state.tail[earlier] {
            send.answer(.success(message))
        } else {
            Task { await self.findRepeated(earlier, send) }
        }
    }

    private func findRepeated(_ id: MessageID, _ send: PendingSend) async {
        // A message that was deleted since still answers for its nonce, without its content.
        let stored = try? await services.messages.stored(id, in: channelID, guildID: state.guildID)
        send.answer(stored.map { .success($0.message) } ?? .failure(APIError.serviceUnavailable))
    }

    /// A new message's fate is known.
    private func finishCreate(
        _ message: Message, nonce: NonceTable.Key?, key: NonceTable.Key?, _ result: LaneOutcome.Result
    ) {
        let answers = unsettledCreates.removeValue(forKey: message.id) ?? []
        switch result {
        case .committed:
            if state.createSettled(message, nonce: nonce, key: key, isDurable: true),
                let correction = state.owedCorrections.last
            {
                takeBack(correction)
            }
            services.measurements.becameFinal(message.id, at: services.clock.wallMilliseconds)
            if conversation.participant(message.authorID)?.user.isBot == false {
                loop.sentMarks.note(SentMark(channelID: channelID, messageID: message.id), by: message.authorID)
            }
            for answer in answers { answer(.success(message)) }
        case .refused, .withdrawn:
            if state.createSettled(message, nonce: nonce, key: key, isDurable: false),
                let correction = state.owedCorrections.last
            {
                takeBack(correction)
            }
            let error: APIError = if case .refused = result { .refusedByDatabase } else { .notCommitted }
            for answer in answers { answer(.failure(error)) }
        case .lost:
            // The batch may have been committed by the time that the lease was taken: the new owner knows.
            for answer in answers { answer(.failure(SlotLoss.underWay)) }
        }
    }

    // MARK: References

    private func referenceAtHand(_ hand: MessageDraft.Reference) -> ResolvedReference? {
        guard hand.channelID == nil || hand.channelID == channelID else { return .missing }
        guard let message = active[hand.messageID]?.message ?? state.tail[hand.messageID],
            let author = conversation.participant(message.authorID)?.user ?? services.users.cached(message.authorID)
        else { return nil }
        return .found(message, author: author)
    }

    private func lookUp(_ wanted: MessageDraft.Reference, for send: PendingSend) {
        waitingSends[send.caller.userID] = []
        Task { await self.resolve(wanted, for: send) }
    }

    private func resolve(_ wanted: MessageDraft.Reference, for send: PendingSend) async {
        do {
            await settle()
            var reference = ResolvedReference.missing
            if let message = try await services.messages.find(wanted.messageID, in: channelID, guildID: state.guildID),
                let author = try await services.users.user(message.authorID)
            {
                reference = .found(message, author: author)
            }
            try decide(send, reference: reference)
        } catch {
            send.answer(.failure(error is APIError || error is SlotLoss ? error : APIError.notCommitted))
        }
        let followers = waitingSends.removeValue(forKey: send.caller.userID) ?? []
        for follower in followers { accept(follower) }
    }

    private func encodeReferenced(_ message: Message, author: User) -> [UInt8] {
        var writer = JSONWriter()
        let mentions = message.mentions.compactMap { conversation.participant($0)?.user ?? services.users.cached($0) }
        message.write(to: &writer, author: author, mentions: mentions, mediaBase: services.settings.mediaBase)
        return writer.bytes
    }

    // MARK: Mentions

    struct ResolvedMentions {
        var users: [User] = []
        var roles: [RoleID] = []
        var everyone = false
    }

    func resolveMentions(
        of draft: MessageDraft, permissions: Permissions, repliedTo: User?
    ) -> ResolvedMentions {
        let allowed = draft.allowedMentions ?? .everything
        let scanned = allowed.filter(ScannedMentions(scanning: draft.content))
        var resolved = resolveMentions(scanned, permissions: permissions)
        if let repliedTo, allowed.repliedUser, !resolved.users.contains(where: { $0.id == repliedTo.id }) {
            resolved.users.append(repliedTo)
        }
        return resolved
    }

    func resolveMentions(_ scanned: ScannedMentions, permissions: Permissions) -> ResolvedMentions {
        let mayMentionAll = permissions.contains(.mentionEveryone)
        return ResolvedMentions(
            users: scanned.users.prefix(Self.maximumMentions).compactMap { conversation.participant($0)?.user },
            roles: scanned.roles.filter { role in
                conversation.isMentionable(role).map { $0 || mayMentionAll } ?? false
            },
            everyone: scanned.everyone && mayMentionAll)
    }

    /// How many people one message notifies; the text may name more.
    static var maximumMentions: Int { 100 }
}
