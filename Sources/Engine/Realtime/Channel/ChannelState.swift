import Collections
import FluxCore
import FluxStore

/// What a channel's owner decides from: its numbers, its newest messages, its nonces, and what is not final yet.
///
/// A value without I/O. Guarantees I2 within its epoch: seqs are dense, ids grow with them.
package struct ChannelState {
    package let id: ChannelID
    package let guildID: GuildID?
    /// The epoch of the slot's lease under which every change is decided.
    package let epoch: Epoch
    package private(set) var lastSequence: SequenceNumber
    package private(set) var lastMessageID: MessageID?
    package private(set) var tail: MessageTail
    package private(set) var nonces: NonceTable
    package private(set) var settlement: SettlementQueue
    /// What was shown of messages and is not final.
    private var pending = PendingChanges()
    private var pendingReactions = PendingReactions()
    /// What has to be shown instead of what will not be durable and no lane has taken yet, oldest first. No more than the lane
    /// held, and what an earlier owner left: what the voids of `Channels.voidHorizon` numbers speak of.
    package private(set) var owedCorrections: Deque<PendingChanges.Correction> = []
    package var lastPinAt: Timestamp?

    /// - Parameters:
    ///   - lastSequence: the last seq that is committed.
    ///   - lastMessageID: the greatest id ever given out, deleted messages included.
    package init(
        id: ChannelID, guildID: GuildID?, epoch: Epoch, lastSequence: SequenceNumber, lastMessageID: MessageID?,
        tail: MessageTail, nonces: NonceTable, lastPinAt: Timestamp?
    ) {
        self.id = id
        self.guildID = guildID
        self.epoch = epoch
        self.lastSequence = lastSequence
        self.lastMessageID = lastMessageID
        self.tail = tail
        self.nonces = nonces
        self.lastPinAt = lastPinAt
        settlement = SettlementQueue(finalSequence: lastSequence)
    }

    /// Whether anything decided here may still fail.
    package var hasUnsettled: Bool { !settlement.isEmpty }

    /// Takes the number of the next change. Its fate must be told to `settled`.
    package mutating func takeSequence() -> SequenceNumber {
        lastSequence += 1
        settlement.began(lastSequence)
        return lastSequence
    }

    /// Gives back the number that was taken last: the change could not be handed to its lane and nobody saw it.
    package mutating func returnSequence(_ sequence: SequenceNumber) {
        precondition(sequence == lastSequence, "only the last number can be given back")
        settlement.abandonLast(sequence)
        lastSequence -= 1
    }

    /// A new message was decided and shown.
    package mutating func created(_ message: Message, nonce: NonceTable.Key?, key: NonceTable.Key? = nil) {
        precondition(lastMessageID.map { $0 < message.id } ?? true, "ids of a channel grow with its seqs")
        lastMessageID = message.id
        tail.append(message)
        if let nonce { nonces.record(nonce, messageID: message.id) }
        if let key { nonces.record(key, messageID: message.id) }
        pending.decided(message.id, message.seq, from: nil)
    }

    /// A message was changed by the change of this number, and shown so.
    package mutating func edited(_ message: Message, from former: Message, by sequence: SequenceNumber) {
        tail.replace(message)
        decided(former, sequence)
    }

    /// Messages were deleted by the change of this number, and are shown no more.
    package mutating func deleted(_ messages: [Message], by sequence: SequenceNumber) {
        for message in messages {
            tail.remove(message.id)
            decided(message, sequence)
        }
    }

    private mutating func decided(_ former: Message, _ sequence: SequenceNumber) {
        pending.decided(former.id, sequence, from: former)
        // What was to be shown again is not the newest any more.
        owedCorrections.removeAll { if case .state(let message) = $0 { message.id == former.id } else { false } }
    }

    /// A reaction was given or taken back by the change of this number, and shown so.
    package mutating func reacted(_ change: ReactionChange, by sequence: SequenceNumber) {
        if change.isAdded { tail.markReacted(change.messageID) }
        pendingReactions.decided(change, sequence, from: !change.isAdded)
        let key = ReactionFold.Key(change)
        owedCorrections.removeAll { if case .reaction(let owed) = $0 { ReactionFold.Key(owed) == key } else { false } }
    }

    /// The fate of a reaction, or of its being taken back, is known. - Returns: whether something else has to be shown now.
    package mutating func reactionSettled(
        _ change: ReactionChange, by sequence: SequenceNumber, isDurable: Bool
    ) -> Bool {
        guard let standing = pendingReactions.settled(change, sequence, isDurable: isDurable) else { return false }
        owedCorrections.append(.reaction(standing))
        return true
    }

    /// Nil when a message with a nonce or a key may be sent; else the milliseconds until the table of nonces has room for it.
    package mutating func timeUntilRoomForNonce(at now: Int64) -> Int64? { nonces.timeUntilRoom(at: now) }

    /// The fate of a new message is known. - Returns: whether it has to be taken back now.
    package mutating func createSettled(
        _ message: Message, nonce: NonceTable.Key?, key: NonceTable.Key? = nil, isDurable: Bool
    ) -> Bool {
        if !isDurable {
            if let nonce { nonces.forget(nonce, messageID: message.id) }
            if let key { nonces.forget(key, messageID: message.id) }
        }
        return owe(
            pending.settled(message.id, message.seq, as: message, isDurable: isDurable, makesMessage: true))
    }

    /// The fate of another change of a message is known. - Parameter state: what it makes of the message; nil if it deletes it.
    /// - Returns: whether something else has to be shown now.
    package mutating func changeSettled(
        _ id: MessageID, by sequence: SequenceNumber, as state: Message?, isDurable: Bool
    ) -> Bool {
        owe(pending.settled(id, sequence, as: state, isDurable: isDurable, makesMessage: false))
    }

    /// An earlier owner showed what never came to be, and could not say so any more.
    package mutating func oweInherited(_ corrections: [PendingChanges.Correction]) {
        owedCorrections.append(contentsOf: corrections)
    }

    /// The fate of a correction is known. What did not become durable either is shown again, unless something newer was since.
    package mutating func correctionSettled(
        _ correction: PendingChanges.Correction, by sequence: SequenceNumber, isDurable: Bool
    ) {
        if case .reaction(let change) = correction {
            _ = reactionSettled(change, by: sequence, isDurable: isDurable)
            return
        }
        let id = correction.messageID
        if isDurable || pending.contains(id) { return }
        if case .state(let message) = correction, tail[id].map({ $0 != message }) ?? false { return }
        owedCorrections.append(correction)
    }

    private mutating func owe(_ correction: PendingChanges.Correction?) -> Bool {
        guard let correction else { return false }
        switch correction {
        case .deletion(let id): tail.remove(id)
        case .state(let message): tail.restore(message)
        case .reaction: break
        }
        owedCorrections.append(correction)
        return true
    }

    /// The oldest correction that was owed is in the lane, under this number. Its fate must be told to `correctionSettled`.
    package mutating func paid(by sequence: SequenceNumber) {
        guard case .reaction(let change) = owedCorrections.removeFirst() else { return }
        pendingReactions.decided(change, sequence, from: change.isAdded)
    }

    /// A change's fate is known. - Returns: what waited for it.
    package mutating func settled(_ sequence: SequenceNumber) -> [() -> Void] { settlement.settled(sequence) }

    package mutating func whenSettled(_ resume: @escaping () -> Void) { settlement.whenSettled(resume) }

    package mutating func abandonWaiters() -> [() -> Void] { settlement.abandon() }
}
