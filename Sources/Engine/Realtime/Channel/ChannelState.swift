import FluxCore

/// What a channel's owner decides from: its numbers, its newest messages, its nonces, and what is not final yet.
///
/// A value without I/O. Guarantees I2 within its epoch: seqs are dense, ids grow with them.
struct ChannelState {
    let id: ChannelID
    let guildID: GuildID?
    /// The epoch of the slot's lease under which every change is decided.
    let epoch: Epoch
    private(set) var lastSequence: SequenceNumber
    private(set) var lastMessageID: MessageID?
    private(set) var tail: MessageTail
    private(set) var nonces: NonceTable
    private(set) var settlement: SettlementQueue
    var lastPinAt: Timestamp?

    /// - Parameters:
    ///   - lastSequence: the last seq that is committed.
    ///   - lastMessageID: the greatest id ever given out, deleted messages included.
    init(
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
    var hasUnsettled: Bool { !settlement.isEmpty }

    /// Takes the number of the next change. Its fate must be told to `settled`.
    mutating func takeSequence() -> SequenceNumber {
        lastSequence += 1
        settlement.began(lastSequence)
        return lastSequence
    }

    /// Gives back the number that was taken last: the change could not be handed to its lane and nobody saw it.
    mutating func returnSequence(_ sequence: SequenceNumber) {
        precondition(sequence == lastSequence, "only the last number can be given back")
        settlement.abandonLast(sequence)
        lastSequence -= 1
    }

    /// A new message was decided and shown.
    mutating func created(_ message: Message, nonce: NonceTable.Key?) {
        precondition(lastMessageID.map { $0 < message.id } ?? true, "ids of a channel grow with its seqs")
        lastMessageID = message.id
        tail.append(message)
        if let nonce { nonces.record(nonce, messageID: message.id) }
    }

    mutating func edited(_ message: Message) { tail.replace(message) }

    mutating func deleted(_ ids: [MessageID]) {
        for id in ids { tail.remove(id) }
    }

    mutating func reacted(to id: MessageID) { tail.markReacted(id) }

    /// Nil when a message with a nonce may be sent; else the milliseconds until the table of nonces has room for it.
    mutating func timeUntilRoomForNonce(at now: Int64) -> Int64? { nonces.timeUntilRoom(at: now) }

    mutating func forgetNonce(_ nonce: NonceTable.Key, messageID: MessageID) {
        nonces.forget(nonce, messageID: messageID)
    }

    /// A change's fate is known. - Returns: what waited for it.
    mutating func settled(_ sequence: SequenceNumber) -> [() -> Void] { settlement.settled(sequence) }

    mutating func whenSettled(_ resume: @escaping () -> Void) { settlement.whenSettled(resume) }

    mutating func abandonWaiters() -> [() -> Void] { settlement.abandon() }
}
