import FluxCore

/// What one client believes about one channel's log, kept as protocol 10.5 tells a client to keep it.
struct ChannelView: Sendable {
    struct Entry: Sendable, Equatable {
        let epoch: Int
        let kind: String
        let messageID: String?
    }

    struct Position: Sendable, Equatable {
        var seq: Int
        var epoch: Int
    }

    /// The number from which on it knows the log: what came up to it is not its business.
    let base: Int
    /// The last number that it knows, and its epoch.
    private(set) var head: Position
    private(set) var entries: [Int: Entry] = [:]
    /// How many entries it was told to take back.
    private(set) var discarded = 0

    init(from head: Position) {
        base = head.seq
        self.head = head
    }

    /// Takes in an event, live or read from the log. - Returns: why it cannot be true, if so.
    mutating func take(_ kind: String, _ body: JSON) -> String? {
        guard let seq = body["seq"]?.intValue, let epoch = body["epoch"]?.intValue else {
            return "\(kind) without seq or epoch"
        }
        guard seq > base else { return nil }
        let entry = Entry(epoch: epoch, kind: kind, messageID: body["id"]?.stringValue)
        if let known = entries.updateValue(entry, forKey: seq) {
            return known == entry ? nil : "seq \(seq) was \(known), and \(entry) came without a roll-back"
        }
        guard seq > head.seq else { return "seq \(seq) came after \(head.seq)" }
        guard epoch >= head.epoch else { return "seq \(seq) is of epoch \(epoch), after \(head.epoch)" }
        head = Position(seq: seq, epoch: epoch)
        return nil
    }

    /// Discards what did not survive.
    /// - Parameter epoch: the channel's epoch now; what stands was committed in it or before.
    mutating func rollBack(to seq: Int, epoch: Int) {
        let lost = entries.keys.filter { $0 > seq }
        for seq in lost { entries[seq] = nil }
        discarded += lost.count
        head = Position(seq: min(head.seq, seq), epoch: epoch)
    }

    /// Compares with the log as it is now. - Returns: what differs.
    func differences(from log: ChannelLog, of client: String) -> [String] {
        var differences: [String] = []
        for (seq, entry) in entries.sorted(by: { $0.key < $1.key }) where log.entries[seq] != entry {
            // What was shown and could not be committed was taken back by a later number.
            if log.entries[seq] == nil, seq <= log.lastSeq, isTakenBack(entry, after: seq) { continue }
            differences.append(
                "\(client) holds \(entry) at \(seq) in \(log.channel), which is "
                    + (log.entries[seq].map { "\($0)" } ?? "nothing"))
        }
        for seq in log.entries.keys.sorted() where seq > base && seq <= head.seq && entries[seq] == nil {
            differences.append("\(client) misses \(seq) in \(log.channel), though it holds up to \(head.seq)")
        }
        return differences
    }

    private func isTakenBack(_ entry: Entry, after seq: Int) -> Bool {
        entries.contains { $0.key > seq && $0.value.kind == "MESSAGE_DELETE" && $0.value.messageID == entry.messageID }
    }
}
