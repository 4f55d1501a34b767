import FluxCore
import FluxRealtime
import FluxStore

/// The tables of messages and logs, in memory: what lanes commit and owners read, under the rules of `LaneStatements` and
/// `ChannelEvents` (FluxStore), which their tests hold a real server to. It checks what must never get past it.
struct MessageDatabase {
    /// One committed entry of a channel's log.
    struct Entry {
        let sequence: SequenceNumber
        let epoch: Epoch
        let kind: EventKind
        /// Which decision; nil for a void.
        let decision: Int?
        let message: MessageID?
    }

    /// A committed message.
    struct Row {
        let message: Message
        /// Which decision its text comes from.
        var version: Int
        var isDeleted = false

        /// The message as it is now.
        var shown: Message {
            var shown = message
            shown.content = String(version)
            return shown
        }
    }

    /// What is stored of one channel.
    final class Log {
        @exclusivity(unchecked) var entries: [Entry] = []
        @exclusivity(unchecked) var rows: [MessageID: Row] = [:]
        /// Message ids in the order of their numbers.
        @exclusivity(unchecked) var order: [MessageID] = []
        /// How many messages each nonce has made.
        @exclusivity(unchecked) var nonces: [NonceTable.Key: Int] = [:]
        /// The nonces with their messages, in the order of these.
        @exclusivity(unchecked) var noted: [(key: NonceTable.Key, message: MessageID)] = []
        /// Of each message's reactions ever given: the decision that gave it or took it back last.
        @exclusivity(unchecked) var reactions: [MessageID: [ReactionFold.Key: Int]] = [:]
        /// The reactions that stand, by message.
        @exclusivity(unchecked) var given: [MessageID: Set<ReactionFold.Key>] = [:]
        /// What its voids leave to be told.
        @exclusivity(unchecked) var voids = UnansweredVoids()

        var head: (sequence: SequenceNumber, epoch: Epoch) {
            entries.last.map { ($0.sequence, $0.epoch) } ?? (0, 0)
        }
    }

    private(set) var logs = ChannelMap<Log>()
    /// The rows of guilds and their members.
    var guilds = GuildTable()
    private(set) var people = PeopleDatabase()
    private(set) var violations: [String] = []

    /// Forgets what was found, as it has been reported.
    mutating func takeViolations() -> [String] {
        defer { violations = [] }
        return violations
    }

    /// What is stored of the channel; an empty log where nothing is.
    func log(of channel: ChannelID) -> Log { logs[channel] ?? Log() }

    /// Whether the entry is in, with this message.
    func holds(_ sequence: SequenceNumber, of channel: ChannelID, message: MessageID) -> Bool {
        guard let entries = logs[channel]?.entries, sequence >= 1, sequence <= Int64(entries.count) else {
            return false
        }
        return entries[Int(sequence) - 1].message == message
    }

    /// Whether the number is a committed void.
    func isVoid(_ sequence: SequenceNumber, in channel: ChannelID) -> Bool {
        guard let entries = logs[channel]?.entries, sequence >= 1, sequence <= Int64(entries.count) else {
            return false
        }
        return entries[Int(sequence) - 1].decision == nil
    }

    /// The epoch of a committed entry; 0 where there is none.
    func epoch(of sequence: SequenceNumber, in channel: ChannelID) -> Epoch {
        guard let entries = logs[channel]?.entries, sequence >= 1, sequence <= Int64(entries.count) else { return 0 }
        return entries[Int(sequence) - 1].epoch
    }

    // MARK: Committing

    /// Takes in a mutation of a batch that commits. - Parameter lease: the epoch of the slot, if the committing process holds it.
    mutating func commit(_ mutation: Mutation, lease: Epoch?) {
        if lease != mutation.epoch {
            violations.append(
                "I1: slot \(mutation.slot) committed under epoch \(mutation.epoch), the lease is \(lease.map(String.init) ?? "gone")"
            )
        }
        let change = mutation.change
        switch change {
        case .createMessage(let row): create(row.message)
        case .updateMessage(let row, let entry):
            append(entry, change.subject).rows[row.message.id]?.version = Ledger.number(in: entry.payload) ?? -1
        case .deleteMessages(let ids, _, let entry):
            let log = append(entry, change.subject)
            for id in ids { log.rows[id]?.isDeleted = true }
        case .logOnly(let entry, let subject): _ = append(entry, subject)
        case .void(let channel, let sequence, let epoch, let subject):
            let log = append(
                Entry(sequence: sequence, epoch: epoch, kind: .messageCreate, decision: nil, message: nil), to: channel)
            if let subject { log.voids.failed(subject) }
        case .reaction(let reaction, let entry):
            append(entry, change.subject).take(reaction, Ledger.number(in: entry.payload))
        case .statements(let statements): run(statements)
        case .clearReactions, .counter: break
        }
    }

    /// A mutation of a guild's rows, or of a person's.
    private mutating func run(_ statements: [Statement]) {
        if statements.contains(where: { PeopleWrite($0) != nil }) {
            violations += people.run(statements)
        } else {
            violations += guilds.run(statements).map { "\($0) is a statement of which nothing is known" }
        }
    }

    private mutating func create(_ message: Message) {
        let channel = message.channelID
        let number = Int(message.content)
        let log = append(
            Entry(
                sequence: message.seq, epoch: message.epoch, kind: .messageCreate, decision: number,
                message: message.id), to: channel)
        if let last = log.order.last, last >= message.id {
            violations.append("I2: in channel \(channel) id \(message.id) follows \(last)")
        }
        log.rows[message.id] = Row(message: message, version: number ?? -1)
        log.order.append(message.id)
        guard case .string(let text)? = message.nonce else { return }
        let key = NonceTable.Key(authorID: message.authorID, nonce: text)
        log.noted.append((key, message.id))
        if let earlier = log.nonces.updateValue(1, forKey: key) {
            let count = earlier + 1
            log.nonces[key] = count
            violations.append("I4: nonce \(text) of \(message.authorID) made \(count) messages in channel \(channel)")
        }
    }

    private mutating func append(_ entry: LogEntry, _ subject: EventSubject?) -> Log {
        let log = append(
            Entry(
                sequence: entry.seq, epoch: entry.epoch, kind: entry.kind, decision: Ledger.number(in: entry.payload),
                message: entry.messageID), to: entry.channelID)
        if let subject { log.voids.told(subject) }
        return log
    }

    /// - Returns: the log, with the entry in it.
    private mutating func append(_ entry: Entry, to channel: ChannelID) -> Log {
        let log = log(of: channel)
        if log.entries.isEmpty { logs[channel] = log }
        let head = log.head
        if entry.sequence != head.sequence + 1 {
            violations.append("I2: in channel \(channel) number \(entry.sequence) follows \(head.sequence)")
        }
        if entry.epoch < head.epoch {
            violations.append("I2: in channel \(channel) epoch \(entry.epoch) follows \(head.epoch)")
        }
        log.entries.append(entry)
        return log
    }

    // MARK: Reading

    /// What `Channels.activation` reads: the head and all nonces.
    struct Activation {
        let lastSequence: SequenceNumber
        let epoch: Epoch
        let lastMessageID: MessageID?
        let tail: [Message]
        /// Those of them with reactions.
        let reacted: Set<MessageID>
        let nonces: [(key: NonceTable.Key, message: MessageID)]
        /// What an earlier owner has shown in vain and not taken back.
        let corrections: [PendingChanges.Correction]
    }

    func activation(of channel: ChannelID) -> Activation {
        let log = log(of: channel)
        let tail = log.order.suffix(Channels.tailLimit).compactMap { log.rows[$0] }.filter { !$0.isDeleted }
        return Activation(
            lastSequence: log.head.sequence, epoch: log.head.epoch, lastMessageID: log.order.last,
            tail: tail.map(\.shown), reacted: log.reactedMessages, nonces: log.noted,
            corrections: log.voids.isEmpty ? [] : corrections(of: channel, log))
    }

    private func corrections(of channel: ChannelID, _ log: Log) -> [PendingChanges.Correction] {
        let reacted = log.voids.reactedMessages
        let standing = log.voids.messages.union(reacted).compactMap { log.rows[$0] }.filter { !$0.isDeleted }
        return PendingChanges.Correction.inherited(
            log.voids, messages: Dictionary(uniqueKeysWithValues: standing.map { ($0.message.id, $0.shown) }),
            standing: Set(reacted.flatMap { log.given[$0] ?? [] }),
            cleared: Dictionary(uniqueKeysWithValues: reacted.map { ($0, reactions(of: $0, in: channel)) }))
    }

    /// What `ChannelEvents.after` reads.
    func events(
        of channel: ChannelID, after sequence: SequenceNumber, epoch: Epoch?, limit: Int
    ) -> ChannelEventPage {
        let log = log(of: channel)
        var standing = min(sequence, Int64(log.entries.count))
        if let epoch {
            // A void does not stand.
            while standing > 0,
                log.entries[Int(standing) - 1].epoch > epoch || log.entries[Int(standing) - 1].decision == nil
            {
                standing -= 1
            }
        } else {
            standing = sequence
        }
        let events = log.entries.dropFirst(Int(standing)).prefix(limit).map { entry in
            ChannelEvent(seq: entry.sequence, epoch: entry.epoch, body: body(of: entry, in: log))
        }
        return ChannelEventPage(
            events: Array(events),
            head: LogHead(seq: log.head.sequence, epoch: log.head.epoch, lastMessageID: log.order.last),
            isTruncated: false, rolledBackTo: standing < sequence ? standing : nil)
    }

    private func body(of entry: Entry, in log: Log) -> ChannelEvent.Body {
        guard let decision = entry.decision else { return .void }
        if entry.kind == .messageCreate, let id = entry.message, let row = log.rows[id] {
            return .created(row.shown)
        }
        return .logged(entry.kind, messageID: entry.message, payload: Ledger.body(decision))
    }
}
