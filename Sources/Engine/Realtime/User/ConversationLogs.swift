import Collections
import FluxCore

/// How far a user's sessions have been shown the logs of the user's conversations.
///
/// Events come from the conversations' owners, by calls: once, or twice, or late, or not at all where a link breaks or an owner
/// dies. Each names its place in its conversation's log, so that what is missing, and what was shown and did not survive,
/// comes out: by the next event, by a word of the owner, or by what is stored. Then the conversation is asked, and what comes
/// meanwhile is held (I2, I5, I6).
///
/// A value without I/O. It also knows what READY, which is read from Postgres, may not know yet.
package struct ConversationLogs {
    /// What is to be done, in order.
    package enum Step: Equatable {
        /// Pass the event on. - Parameter digest: of all logs, once it is shown; nil if more belongs to it.
        case show(DirectEvent, digest: UInt64?)
        /// Show that the message, which was shown, is none.
        case retract(MessageID, of: ChannelID, digest: UInt64?)
        /// What is shown next may follow a gap, or something false, that nobody was there to be told of. Who turns up from before
        /// it begins anew.
        case passOver
        /// Ask the conversation, and report `answered` or `unanswered`.
        case ask(DirectQuestion)
        /// What is missing or wrong cannot be mended: who was shown it begins anew.
        case breakOff
    }

    /// How many events of one conversation are held while it is asked.
    static let maximumHeld = 512
    /// How many entries can be taken back: those that were shown last, as long as they may not be durable.
    static let maximumRecent = 256
    /// Longer than a lane holds a write.
    package static let keepMilliseconds: UInt64 = 60_000
    /// Of how many conversations it is kept what was heard while nobody listened.
    static let maximumUnheard = 1_024
    /// A conversation of which nothing is known, and whose log is longer, is not new: it is one of more than are read.
    static let youngLength: SequenceNumber = 64

    private struct Log {
        /// The last entry that was shown.
        var head = DirectHead()
        /// Whether that entry is known to be durable. Then any owner's next entry follows it.
        var isFinal = true
        /// The owner's epoch up to which it is known that what was shown stands.
        var epoch: Epoch = 0
        /// What came while the conversation is asked; nil while it is not.
        var held: [DirectEvent]?
        /// Something was heard meanwhile that the answer may not know of.
        var isDoubtful = false

        init(_ head: DirectHead = DirectHead()) {
            self.head = head
            epoch = head.epoch
        }
    }

    /// An entry that was shown and may not be durable.
    private struct Entry {
        let channelID: ChannelID
        let sequence: SequenceNumber
        let kind: EventKind
        let messageID: MessageID?
        let shownAt: UInt64
    }

    private let userID: UserID
    private var logs: [ChannelID: Log] = [:]
    private var recent: Deque<Entry> = []
    /// Whether listeners of a former owner are on their way here.
    private var isExpecting = false
    /// Where owners have said that their logs stand while nobody listened.
    private var unheard: [ChannelID: DirectHead] = [:]
    /// Stands for where all logs stand: equal exactly where they are, as good as surely.
    package private(set) var digest: UInt64 = 0

    package init(of userID: UserID) { self.userID = userID }

    // MARK: Asking

    /// How far the conversation was shown; nil if nothing is known of it.
    func head(of channelID: ChannelID) -> DirectHead? { logs[channelID]?.head }

    /// Brings a conversation as it was stored up to what was shown.
    package func bringUp(_ channel: inout Channel) {
        guard let head = logs[channel.id]?.head,
            (head.epoch, head.lastSequence) > (channel.epoch, channel.lastSeq)
        else { return }
        channel.lastMessageID = head.lastMessageID
        channel.lastSeq = head.lastSequence
        channel.epoch = head.epoch
    }

    /// How far the sessions were shown each conversation: for the user's next owner.
    package var memory: [ChannelID: DirectHead] { logs.mapValues(\.head) }

    /// Whether one of the conversations is in one of these slots.
    package func touches(_ slots: Set<Slot>) -> Bool { logs.keys.contains { slots.contains(Slot(of: $0)) } }

    // MARK: Events

    /// Before the first event: a conversation as it is stored.
    package mutating func begin(_ channel: Channel) { place(DirectHead(channel), of: channel.id, isFinal: true) }

    /// Before the first event, and after all conversations have begun: what a former owner has shown, whose listeners are on their way
    /// here and go on from there. More may be stored by now: what was committed while the user changed hands.
    package mutating func recall(_ memory: [ChannelID: DirectHead]) -> [Step] {
        isExpecting = true
        var steps: [Step] = []
        for channelID in Set(logs.keys).union(memory.keys).sorted() {
            let stored = logs[channelID]?.head ?? DirectHead()
            // One that the former owner did not know has begun since, or is one of more than are read.
            guard let shown = memory[channelID] ?? (stored.lastSequence <= Self.youngLength ? DirectHead() : nil),
                (shown.epoch, shown.lastSequence) != (stored.epoch, stored.lastSequence)
            else { continue }
            place(shown, of: channelID, isFinal: false)
            logs[channelID]?.epoch = shown.epoch
            if (stored.epoch, stored.lastSequence) > (shown.epoch, shown.lastSequence) { steps.append(ask(channelID)) }
        }
        return steps
    }

    /// An event of a conversation.
    /// - Parameters:
    ///   - isFollowed: whether anybody is shown it. Where nobody is, it is not asked for what is missing.
    ///   - reign: the epoch at which the conversation is owned now, as far as is known here. What a former owner says may never be
    ///     committed, and nobody is left to take it back: the present one is asked, whoever listens.
    package mutating func receive(_ event: DirectEvent, isFollowed: Bool, reign: Epoch, at now: UInt64) -> [Step] {
        guard event.isLogged else { return [.show(event, digest: digest)] }
        let isLate = event.head.epoch < reign
        let isFollowed = isFollowed || isExpecting || isLate
        if logs[event.channelID] == nil, !isFollowed || event.head.lastSequence > Self.youngLength {
            let isPassedOver = !isFollowed && event.head.lastSequence > 1
            let taken = (isPassedOver ? [.passOver] : []) + [take(event, at: now)]
            return isLate ? taken + [ask(event.channelID)] : taken
        }
        if logs[event.channelID, default: Log()].held != nil { return hold(event) }
        return follow(event, isFollowed: isFollowed, isLate: isLate, at: now)
    }

    /// A conversation's owner says where its log stands.
    /// - Parameter isFollowed: whether anybody needs what may be missing; if not, it is kept for whoever comes.
    package mutating func heard(_ head: DirectHead, of channelID: ChannelID, isFollowed: Bool) -> [Step] {
        guard !isFollowed, !isExpecting else { return heard(head, of: channelID, isStored: false) }
        guard unheard.count < Self.maximumUnheard || unheard[channelID] != nil else { return [.passOver] }
        let known = unheard[channelID] ?? DirectHead()
        if (head.epoch, head.lastSequence) > (known.epoch, known.lastSequence) { unheard[channelID] = head }
        return []
    }

    /// Somebody listens, who may come from an earlier owner and go on.
    package mutating func followed() -> [Step] {
        isExpecting = false
        guard !unheard.isEmpty else { return [] }
        let heads = unheard.sorted { $0.key < $1.key }
        unheard = [:]
        return heads.flatMap { heard($0.value, of: $0.key, isStored: false) }
    }

    /// What is stored says where the conversation's log stands.
    package mutating func compared(_ head: DirectHead, of channelID: ChannelID) -> [Step] {
        heard(head, of: channelID, isStored: true)
    }

    private mutating func heard(_ head: DirectHead, of channelID: ChannelID, isStored: Bool) -> [Step] {
        guard var log = logs[channelID] else {
            guard head.lastSequence <= Self.youngLength else {
                place(head, of: channelID, isFinal: isStored)
                return []
            }
            logs[channelID] = Log()
            return head.lastSequence == 0 ? [] : [ask(channelID)]
        }
        let (own, its) = (log.head, head)
        if own.lastSequence == its.lastSequence, own.epoch == its.epoch {
            if isStored { log.isFinal = true }
            logs[channelID] = log
            return []
        }
        // What an owner says may be older than its events. What is stored is, as long as they are not committed, or will never be.
        if !isStored, (its.epoch, its.lastSequence) <= (log.epoch, own.lastSequence) { return [] }
        guard log.held == nil else {
            logs[channelID]?.isDoubtful = true
            return []
        }
        return [ask(channelID)]
    }

    /// The conversation has answered. - Parameter reign: as for `receive`.
    package mutating func answered(_ correction: DirectCorrection, reign: Epoch, at now: UInt64) -> [Step] {
        let id = correction.channelID
        guard let held = logs[id]?.held else { return [] }
        logs[id]?.held = nil
        var steps = mend(correction)
        let isDoubtful = logs[id]?.isDoubtful == true
        logs[id]?.isDoubtful = false
        if !correction.isComplete || isDoubtful { steps.append(ask(id)) }
        for event in held { steps += receive(event, isFollowed: true, reign: reign, at: now) }
        return steps
    }

    /// The conversation could not be asked.
    /// - Parameter isGone: there is none, and it is not asked again.
    package mutating func unanswered(_ channelID: ChannelID, isGone: Bool, at now: UInt64) -> [Step] {
        guard let held = logs[channelID]?.held else { return [] }
        guard isGone else { return [.ask(question(channelID))] }
        logs[channelID]?.held = nil
        return held.map { take($0, at: now) }
    }

    // MARK: Following

    private mutating func follow(_ event: DirectEvent, isFollowed: Bool, isLate: Bool, at now: UInt64) -> [Step] {
        let log = logs[event.channelID] ?? Log()
        let (head, sequence, epoch) = (log.head, event.head.lastSequence, event.head.epoch)
        // It was shown before; or a former owner says what it will never commit.
        if epoch < log.epoch || epoch == log.epoch && sequence <= head.lastSequence { return [] }
        let isNext = sequence == head.lastSequence + 1 && (epoch == log.epoch || log.isFinal)
        if isNext, !isLate { return [take(event, at: now)] }
        guard isFollowed else { return [.passOver, take(event, at: now)] }
        let question = ask(event.channelID)
        return [question] + hold(event)
    }

    private mutating func take(_ event: DirectEvent, at now: UInt64) -> Step {
        place(event.head, of: event.channelID, isFinal: false)
        recent.append(
            Entry(
                channelID: event.channelID, sequence: event.head.lastSequence, kind: event.kind,
                messageID: event.messageID, shownAt: now))
        while let oldest = recent.first,
            recent.count > Self.maximumRecent || now > oldest.shownAt + Self.keepMilliseconds
        {
            recent.removeFirst()
        }
        return .show(event, digest: digest)
    }

    private mutating func hold(_ event: DirectEvent) -> [Step] {
        guard let count = logs[event.channelID]?.held?.count else { return [] }
        guard count < Self.maximumHeld else { return [.breakOff] }
        logs[event.channelID]?.held?.append(event)
        return []
    }

    private mutating func ask(_ channelID: ChannelID) -> Step {
        logs[channelID, default: Log()].held = logs[channelID]?.held ?? []
        return .ask(question(channelID))
    }

    private func question(_ channelID: ChannelID) -> DirectQuestion {
        let head = logs[channelID]?.head ?? DirectHead()
        return DirectQuestion(
            recipientID: userID,
            head: ChannelHead(channelID: channelID, sequence: head.lastSequence, epoch: head.epoch))
    }

    // MARK: Mending

    private mutating func mend(_ correction: DirectCorrection) -> [Step] {
        let id = correction.channelID
        var steps: [Step] = []
        if correction.isTruncated { steps.append(.breakOff) }
        let shown = logs[id]?.head.lastSequence ?? 0
        if let standing = correction.standsUpTo, standing < shown {
            if let messages = retractable(id, from: shown, downTo: standing) {
                steps += messages.map { .retract($0, of: id, digest: nil) }
            } else {
                steps.append(.breakOff)
            }
        }
        recent.removeAll { $0.channelID == id }
        steps += correction.missed.map { .show($0, digest: nil) }
        place(correction.head, of: id, isFinal: true)
        let epoch = max(correction.epoch, logs[id]?.epoch ?? 0)
        logs[id]?.epoch = epoch
        // Only with the last of them has all been shown that the digest stands for.
        switch steps.popLast() {
        case .show(let event, _)?: steps.append(.show(event, digest: digest))
        case .retract(let message, let channel, _)?: steps.append(.retract(message, of: channel, digest: digest))
        case let other?: steps.append(other)
        case nil: break
        }
        return steps
    }

    /// The messages whose creation has to be taken back, newest first; nil if that is not all that has to be, or not known.
    private func retractable(
        _ channelID: ChannelID, from last: SequenceNumber, downTo standing: SequenceNumber
    ) -> [MessageID]? {
        var messages: [MessageID] = []
        var wanted = last
        for entry in recent.reversed() where entry.channelID == channelID {
            guard wanted > standing else { break }
            guard entry.sequence == wanted, entry.kind == .messageCreate, let id = entry.messageID else { return nil }
            messages.append(id)
            wanted -= 1
        }
        return wanted == standing ? messages : nil
    }

    private mutating func place(_ head: DirectHead, of channelID: ChannelID, isFinal: Bool) {
        var log = logs[channelID] ?? Log()
        digest &-= Self.digest(log.head, of: channelID)
        log.head = head
        log.isFinal = isFinal
        log.epoch = max(log.epoch, head.epoch)
        digest &+= Self.digest(head, of: channelID)
        logs[channelID] = log
    }

    /// Nothing for a log that is empty.
    private static func digest(_ head: DirectHead, of channelID: ChannelID) -> UInt64 {
        guard head.lastSequence > 0 else { return 0 }
        var hash = StableHash()
        hash.add(channelID.rawValue)
        hash.add(UInt64(bitPattern: head.lastSequence))
        hash.add(UInt64(bitPattern: head.epoch))
        return hash.value
    }
}
