/// Compares what clients were told with what the server holds in the end (I2 to I6). A value without I/O: the records have
/// been read.
struct Audit {
    let channels: ChannelTable
    let records: [Int: ChannelRecord]
    private(set) var violations = ViolationLog()
    /// Numbers of the logs that are empty.
    private(set) var voids = 0

    init(channels: ChannelTable, records: [ChannelRecord]) {
        self.channels = channels
        self.records = Dictionary(records.map { ($0.channel, $0) }) { first, _ in first }
    }

    /// Does it all.
    static func run(channels: ChannelTable, records: [ChannelRecord], evidence: [LoopEvidence]) -> Audit {
        var audit = Audit(channels: channels, records: records)
        var catalogue = EventCatalogue(channels: channels.count)
        for loop in evidence {
            audit.violations.merge(loop.violations)
            for conflict in catalogue.merge(loop.catalogue) {
                audit.violations.note(
                    .conflict,
                    "\(audit.name(conflict.channel)) at \(conflict.place): \(conflict.one) and \(conflict.other)")
            }
        }
        let sends = evidence.flatMap(\.sends)
        let refused = Dictionary(grouping: sends.filter(\.isRefused), by: \.channel).mapValues(\.count)
        for record in records.sorted(by: { $0.channel < $1.channel }) {
            audit.checkOrder(
                of: record, shown: catalogue.events[record.channel], refused: refused[record.channel] ?? 0)
            audit.checkIdentities(of: record, shown: catalogue.events[record.channel])
        }
        audit.checkSends(sends)
        for session in evidence.flatMap(\.sessions) { audit.check(session, catalogue) }
        return audit
    }

    private func name(_ channel: Int) -> String { "channel \(channels.ids[channel])" }

    // MARK: The log by itself (I2)

    /// - Parameter refused: how many sends to this channel were refused.
    private mutating func checkOrder(
        of record: ChannelRecord, shown: [Place: EventIdentity], refused: Int
    ) {
        var unexplained = -refused
        for complaint in record.complaints { violations.note(complaint.kind, complaint.text) }
        let shownSeqs = Set(shown.keys.map(\.seq))
        var epoch = 0
        for seq in stride(from: record.base + 1, through: record.lastSeq, by: 1) {
            guard let entry = record.entries[seq] else {
                voids += 1
                // Whether what was shown there was taken back, the views tell.
                guard !shownSeqs.contains(seq) else { continue }
                // What was refused leaves a void each.
                unexplained += 1
                if unexplained > 0 {
                    violations.note(.hole, "\(name(record.channel)): nothing at \(seq) of \(record.lastSeq)")
                }
                continue
            }
            if entry.epoch < epoch {
                violations.note(
                    .unorderedLog, "\(name(record.channel)): \(seq) is of epoch \(entry.epoch), after \(epoch)")
            }
            epoch = max(epoch, entry.epoch)
        }
        for (one, next) in zip(record.messages, record.messages.dropFirst())
        where one.id >= next.id || one.place.seq >= next.place.seq {
            violations.note(
                .unorderedLog,
                "\(name(record.channel)): message \(one.id) at \(one.place) stands before \(next.id) at \(next.place)")
        }
        checkHistory(of: record)
    }

    /// History and log have to hold the same messages, but for those that were deleted.
    private mutating func checkHistory(of record: ChannelRecord) {
        var inHistory: Set<Int> = []
        for message in record.messages {
            inHistory.insert(message.place.seq)
            let entry = record.entries[message.place.seq]
            let wanted = ChannelRecord.Entry(
                epoch: message.place.epoch, identity: EventIdentity(kind: .created, message: message.id))
            if entry != wanted, message.place.seq <= record.lastSeq {
                violations.note(
                    .historyDiffers,
                    "\(name(record.channel)): message \(message.id) at \(message.place), and the log has there "
                        + (entry.map { "\($0.identity)" } ?? "nothing"))
            }
        }
        let deleted = Set(record.entries.values.filter { $0.identity.kind == .deleted }.map(\.identity.message))
        let hasBulkDeletions = record.entries.values.contains { $0.identity.kind == .deletedInBulk }
        for (seq, entry) in record.entries
        where entry.identity.kind == .created && !inHistory.contains(seq) && !hasBulkDeletions
            && !deleted.contains(entry.identity.message)
        {
            violations.note(
                .historyDiffers, "\(name(record.channel)): \(entry.identity) at \(seq) is not in the history")
        }
    }

    /// What was shown at a place that stands has to be what stands there.
    private mutating func checkIdentities(of record: ChannelRecord, shown: [Place: EventIdentity]) {
        for (place, identity) in shown {
            guard let entry = record.entries[place.seq], entry.epoch == place.epoch else { continue }
            if entry.identity != identity {
                violations.note(
                    .falseEvent,
                    "\(name(record.channel)) at \(place): clients were told \(identity), the log has \(entry.identity)")
            }
        }
    }

    // MARK: What was acknowledged (I3, I4)

    private mutating func checkSends(_ sends: [SendEvidence]) {
        var stored: [Key: [ChannelRecord.Stored]] = [:]
        for record in records.values {
            for message in record.messages {
                guard let nonce = message.nonce else { continue }
                stored[Key(channel: record.channel, author: message.author, nonce: nonce), default: []].append(message)
            }
        }
        for (key, copies) in stored where copies.count > 1 {
            violations.note(
                .storedTwice, "\(key.nonce) in \(name(key.channel)): \(copies.map { "\($0.id) at \($0.place)" })")
        }
        for send in sends where records[send.channel] != nil {
            let message = stored[Key(channel: send.channel, author: send.author, nonce: send.nonce)]?.first
            switch send.state {
            case .acknowledged(let id, let seq):
                guard let message else {
                    violations.note(
                        .lostAcknowledged, "\(send.nonce) in \(name(send.channel)), acknowledged as \(id) at \(seq)")
                    continue
                }
                if message.id != id || message.place.seq != seq {
                    violations.note(
                        .differsFromAnswer,
                        "\(send.nonce) in \(name(send.channel)), acknowledged as \(id) at \(seq), is \(message.id) at "
                            + "\(message.place)")
                }
            case .refused:
                if let message {
                    violations.note(.storedThoughRefused, "\(send.nonce) in \(name(send.channel)) is \(message.id)")
                }
            case .open:
                violations.note(.neverAcknowledged, "\(send.nonce) in \(name(send.channel))")
            case .unknown:
                break
            }
        }
    }

    private struct Key: Hashable {
        let channel: Int
        let author: UInt64
        let nonce: String
    }

    // MARK: What clients were left with (I5, I6)

    private mutating func check(_ session: SessionEvidence, _ catalogue: EventCatalogue) {
        if let lack = session.lack { violations.note(.sessionLost, "\(session.name), at the end, \(lack)") }
        for view in session.views {
            guard let record = records[view.channel], record.base <= view.base else { continue }
            check(view, of: session.name, record, catalogue.events[view.channel])
        }
    }

    private mutating func check(
        _ view: ViewEvidence, of client: String, _ record: ChannelRecord, _ shown: [Place: EventIdentity]
    ) {
        let runs = runs(of: record)
        if view.head.seq < (runs.last?.seq ?? 0) {
            violations.note(
                .lost, "\(client) heard \(name(view.channel)) up to \(view.head), and it stands at \(record.lastSeq)")
        }
        guard view.head.seq > view.base else { return }
        let range = view.base + 1...view.head.seq
        if view.taken.isEmpty, runs.clipped(to: range) == view.held.clipped(to: range) { return }
        for place in view.held.places where !view.taken.contains(place.seq) {
            guard record.entries[place.seq]?.epoch != place.epoch else { continue }
            // What was shown and could not be committed is taken back by a later number.
            if record.entries[place.seq] == nil, isTakenBack(place, in: record, shown) { continue }
            violations.note(
                .falseEvent,
                "\(client) was left with \(shown[place].map { "\($0)" } ?? "an event") at \(place) of "
                    + "\(name(view.channel)), where the log has "
                    + (record.entries[place.seq].map { "\($0.identity) of epoch \($0.epoch)" } ?? "nothing"))
        }
        for seq in range where record.entries[seq] != nil {
            guard view.held.epoch(of: seq) == nil || view.taken.contains(seq) else { continue }
            violations.note(.lost, "\(client) misses \(seq) of \(name(view.channel)), and holds up to \(view.head.seq)")
        }
    }

    private func isTakenBack(_ place: Place, in record: ChannelRecord, _ shown: [Place: EventIdentity]) -> Bool {
        guard let identity = shown[place] else { return false }
        return record.entries.contains {
            $0.key > place.seq && $0.value.identity.kind == .deleted && $0.value.identity.message == identity.message
        }
    }

    private var knownRuns: [Int: HeldRuns] = [:]

    private mutating func runs(of record: ChannelRecord) -> HeldRuns {
        if let runs = knownRuns[record.channel] { return runs }
        let runs = record.runs
        knownRuns[record.channel] = runs
        return runs
    }
}

extension SendEvidence {
    fileprivate var isRefused: Bool { state == .refused }
}
