import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore

/// A channel at its owner: what `ChannelActor` does around `ChannelState`.
final class ChannelOwner {
    /// What comes of a write.
    enum Answer {
        /// Durable: the message, and the number of the entry.
        case done(MessageID, SequenceNumber)
        /// Refused for good.
        case refused
        /// Not now; the sender may try again under the same nonce.
        case notCommitted
    }

    typealias Respond = (Answer) -> Void

    let id: ChannelID
    let home: any ChannelHome
    @exclusivity(unchecked) var state: ChannelState
    /// Messages that reactions are being made to.
    @exclusivity(unchecked) var active: [MessageID: ActiveMessage] = [:]
    /// Who waits for the fate of a message.
    private var unsettledCreates: [MessageID: [Respond]] = [:]
    private(set) var isActive = true

    init(_ id: ChannelID, home: any ChannelHome, _ stored: MessageDatabase.Activation) {
        self.id = id
        self.home = home
        let bug = home.node.world.bug
        var nonces = NonceTable()
        if bug != .nonceForgotten {
            for nonce in stored.nonces { nonces.record(nonce.key, messageID: nonce.message) }
        }
        state = ChannelState(
            id: id, guildID: home.guildID, epoch: home.epoch,
            lastSequence: bug == .sequenceRestarts ? 0 : stored.lastSequence, lastMessageID: stored.lastMessageID,
            tail: MessageTail(
                messages: stored.tail, reacted: stored.reacted, hasOlder: stored.tail.count >= MessageTail.capacity),
            nonces: nonces, lastPinAt: nil)
        state.oweInherited(
            bug == .reactionVoidsForgotten ? stored.corrections.filter(\.isOfMessage) : stored.corrections)
        payCorrections()
    }

    var node: ChatNode { home.node }
    var world: ChatWorld { home.node.world }
    var hasUnsettled: Bool { state.hasUnsettled || !state.owedCorrections.isEmpty }

    func deactivate() {
        isActive = false
        for resume in state.abandonWaiters() { resume() }
        for id in unsettledCreates.keys.sorted() {
            for respond in unsettledCreates[id] ?? [] { respond(.notCommitted) }
        }
        unsettledCreates = [:]
    }

    // MARK: Writes

    /// Decides on a send with a nonce.
    func send(_ nonce: NonceTable.Key, _ respond: @escaping Respond) {
        guard home.permits(.sendMessages, to: nonce.authorID, in: self.id) else { return respond(.refused) }
        let now = world.wallClock(of: node.id)
        if let earlier = state.nonces.message(of: nonce, at: now) { return answerRepeat(earlier, respond) }
        guard state.timeUntilRoomForNonce(at: now) == nil,
            let id = node.minter.mint(atMilliseconds: now, above: state.lastMessageID)
        else { return respond(.notCommitted) }
        let sequence = state.takeSequence()
        let number = world.ledger.add(
            Ledger.Decision(
                kind: .create, channel: self.id, sequence: sequence, epoch: state.epoch, message: id), at: world.now)
        noteWrite(number, by: nonce.authorID)
        let message = Message(
            id: id, channelID: self.id, guildID: state.guildID, authorID: nonce.authorID, content: String(number),
            nonce: .string(nonce.nonce), seq: sequence, epoch: state.epoch)
        let isTaken = commit(.createMessage(MessageRow(message)), sequence) { [self] result in
            finishCreate(message, nonce, result)
        }
        guard isTaken else { return respond(.notCommitted) }
        unsettledCreates[id] = [respond]
        state.created(message, nonce: nonce)
        announce(.messageCreate, Ledger.body(number), sequence, id)
        if world.bug == .acknowledgedBeforeCommit {
            unsettledCreates[id] = []
            respond(.done(id, sequence))
        }
    }

    /// Changes or deletes a message, which is the user's own.
    func change(_ message: MessageID, _ kind: Ledger.Decision.Kind, by userID: UserID, _ respond: @escaping Respond) {
        guard home.permits([], to: userID, in: id) else { return respond(.refused) }
        guard let stored = state.tail[message] else { return respond(.refused) }
        let sequence = state.takeSequence()
        let number = world.ledger.add(
            Ledger.Decision(kind: kind, channel: id, sequence: sequence, epoch: state.epoch, message: message),
            at: world.now)
        noteWrite(number, by: userID)
        let eventKind: EventKind = kind == .update ? .messageUpdate : .messageDelete
        let entry = LogEntry(
            channelID: id, seq: sequence, epoch: state.epoch, kind: eventKind, messageID: message,
            payload: Ledger.body(number))
        let change: Change =
            kind == .update ? .updateMessage(MessageRow(stored), entry) : .deleteMessages([message], id, entry)
        var changed: Message? = stored
        if kind == .update { changed?.content = String(number) } else { changed = nil }
        let isTaken = commit(change, sequence) { [self, changed] result in
            if result != .lost,
                state.changeSettled(message, by: sequence, as: changed, isDurable: result == .committed)
            {
                takeBack()
            }
            respond(result == .committed ? .done(message, sequence) : .notCommitted)
        }
        guard isTaken else { return respond(.notCommitted) }
        if let changed {
            state.edited(changed, from: stored, by: sequence)
        } else {
            state.deleted([stored], by: sequence)
            active[message]?.markDeleted()
        }
        announce(eventKind, Ledger.body(number), sequence, message)
    }

    private func answerRepeat(_ earlier: MessageID, _ respond: @escaping Respond) {
        if unsettledCreates[earlier] != nil {
            unsettledCreates[earlier]?.append(respond)
        } else if let message = state.tail[earlier] {
            respond(.done(earlier, message.seq))
        } else {
            world.read(for: node) { [id] in
                $0.log(of: id).rows[earlier]?.message.seq
            } _: { sequence in
                respond((sequence ?? nil).map { .done(earlier, $0) } ?? .notCommitted)
            }
        }
    }

    private func finishCreate(_ message: Message, _ nonce: NonceTable.Key, _ result: LaneOutcome.Result) {
        let responds = unsettledCreates.removeValue(forKey: message.id) ?? []
        switch result {
        case .committed:
            if state.createSettled(message, nonce: nonce, isDurable: true) { takeBack() }
            for respond in responds { respond(.done(message.id, message.seq)) }
        case .refused, .withdrawn:
            if state.createSettled(message, nonce: nonce, isDurable: false) { takeBack() }
            let answer: Answer = if case .refused = result { .refused } else { .notCommitted }
            for respond in responds { respond(answer) }
        case .lost:
            for respond in responds { respond(.notCommitted) }
        }
    }

    /// Something is owed since just now.
    func takeBack() {
        switch state.owedCorrections.last {
        case .deletion(let id)?: active[id]?.restore(nil)
        case .state(let message)?: active[message.id]?.restore(message)
        case .reaction(let change)?: active[change.messageID]?.restore(change)
        case nil: break
        }
        payCorrections()
    }

    private func payCorrections() {
        while isActive, let correction = state.owedCorrections.first {
            let message = correction.messageID
            let sequence = state.takeSequence()
            let (kind, number): (EventKind, Int) =
                switch correction {
                case .deletion:
                    (
                        .messageDelete,
                        world.ledger.add(
                            Ledger.Decision(
                                kind: .takeBack, channel: id, sequence: sequence, epoch: state.epoch, message: message),
                            at: world.now)
                    )
                case .state(let standing): (.messageUpdate, Int(standing.content) ?? 0)
                case .reaction(let change): tell(change, sequence)
                }
            let entry = LogEntry(
                channelID: id, seq: sequence, epoch: state.epoch, kind: kind, messageID: message,
                payload: Ledger.body(number))
            let isTaken = commit(.logOnly(entry, about: correction.subject), sequence) { [self] result in
                state.correctionSettled(correction, by: sequence, isDurable: result != .withdrawn)
                payCorrections()
            }
            guard isTaken else {
                return world.after(.milliseconds(500), on: node) { [self] in payCorrections() }
            }
            state.paid(by: sequence)
            announce(kind, Ledger.body(number), sequence, message)
        }
    }

    /// What tells again whether a reaction is there.
    private func tell(_ change: ReactionChange, _ sequence: SequenceNumber) -> (EventKind, Int) {
        let number = world.ledger.add(
            Ledger.Decision(
                kind: change.isAdded ? .react : .unreact, channel: id, sequence: sequence, epoch: state.epoch,
                message: change.messageID), at: world.now)
        world.ledger.reactions[number] = ReactionFold.Key(change)
        return (change.isAdded ? .messageReactionAdd : .messageReactionRemove, number)
    }

    /// Hands a change with its number to the lane; false if it takes nothing.
    func commit(
        _ change: Change, _ sequence: SequenceNumber, _ finished: @escaping (LaneOutcome.Result) -> Void
    ) -> Bool {
        do {
            try node.commit(change, slot: home.slot, epoch: state.epoch) { [self] result in
                guard isActive else { return }
                let ready = state.settled(sequence)
                finished(result)
                for resume in ready { resume() }
            }
            return true
        } catch {
            state.returnSequence(sequence)
            return false
        }
    }

    func announce(_ kind: EventKind, _ body: [UInt8], _ sequence: SequenceNumber, _ message: MessageID) {
        home.publish(
            kind, body: body, ChannelHead(channelID: id, sequence: sequence, epoch: state.epoch), message,
            lastMessageID: state.lastMessageID)
    }

    // MARK: Reads

    /// What happened after an entry that a client holds; read when all that is live is final.
    func events(
        after sequence: SequenceNumber, epoch: Epoch?, limit: Int, for userID: UserID,
        _ respond: @escaping (ChannelEventPage?) -> Void
    ) {
        read(for: userID) { [id] in
            $0.events(of: id, after: sequence, epoch: epoch, limit: limit)
        } _: {
            respond($0)
        }
    }

    /// The same, whoever asks.
    func events(
        after sequence: SequenceNumber, epoch: Epoch?, limit: Int, _ respond: @escaping (ChannelEventPage?) -> Void
    ) {
        state.whenSettled { [unowned self] in
            world.read(for: node) { [id] in
                $0.events(of: id, after: sequence, epoch: epoch, limit: limit)
            } _: {
                respond($0)
            }
        }
    }

    /// Reads what somebody may read when all that is live is final; nil if they may not, or it cannot be had now: the slot is
    /// another owner's, as something shows that was stored since.
    func read<Value>(
        for userID: UserID, _ question: @escaping (MessageDatabase) -> Value, _ respond: @escaping (Value?) -> Void
    ) {
        guard home.permits(.readMessageHistory, to: userID, in: id) else { return respond(nil) }
        state.whenSettled { [unowned self] in
            world.read(for: node) { [id] in
                (value: question($0), epoch: $0.log(of: id).head.epoch)
            } _: { [self] stored in
                guard let stored, stored.epoch <= state.epoch, home.permits(.readMessageHistory, to: userID, in: id)
                else { return respond(nil) }
                respond(stored.value)
            }
        }
    }

    /// A member's change was decided.
    func noteWrite(_ number: Int, by userID: UserID) {
        if world.access.taken(id, from: userID) != nil { world.ledger.afterTaking.insert(number) }
    }
}

extension PendingChanges.Correction {
    /// Whether it is about a message itself.
    fileprivate var isOfMessage: Bool { if case .reaction = self { false } else { true } }
}
