/// News that is still to be spread, the least spread first (SWIM 4.1).
///
/// Bounded: each piece is sent for a limited number of rounds, and of more pieces than fit those are dropped that were
/// sent most often. The regular exchange of everything brings them nevertheless. A departure from the paper, which counts
/// messages: the few of them could all go to one member in a burst, and a small cluster would miss the news.
struct RumourQueue: Sendable {
    private struct Entry {
        var rumour: Rumour
        var rounds = 0
    }

    /// The latest last.
    private var entries: [Entry] = []
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    /// Adds a piece in place of what it makes old.
    mutating func add(_ rumour: Rumour) {
        entries.removeAll { entry in Self.isOld(entry.rumour, after: rumour) }
        entries.append(Entry(rumour: rumour))
        guard entries.count > capacity else { return }
        let most = entries.indices.max { entries[$0].rounds < entries[$1].rounds }
        if let most { entries.remove(at: most) }
    }

    /// Everything about the member is of no interest any more.
    mutating func forget(_ node: NodeID) {
        entries.removeAll { $0.rumour.subject == node }
    }

    /// The pieces that the next message carries.
    func next(atMost limit: Int) -> [Rumour] { chosen(atMost: limit).map { entries[$0].rumour } }

    /// A round of spreading is over, in which `next` was sent to several members: what was in it `times` times is dropped.
    mutating func endRound(atMost limit: Int, sendingEach times: Int) {
        for index in chosen(atMost: limit) { entries[index].rounds += 1 }
        entries.removeAll { $0.rounds >= times }
    }

    private func chosen(atMost limit: Int) -> [Int] {
        guard entries.count > limit else { return Array(entries.indices) }
        let sorted = entries.indices.sorted { (entries[$0].rounds, -$0) < (entries[$1].rounds, -$1) }
        return Array(sorted.prefix(limit))
    }

    private static func isOld(_ known: Rumour, after new: Rumour) -> Bool {
        switch (known, new) {
        case (.health(let known), .health(let new)):
            // Accusations by several members stand side by side: they confirm each other.
            known.node == new.node && (new.overrides(known) || known.accuser == new.accuser)
        case (.report(let known), .report(let new)):
            known.node == new.node
        case (.health, .report), (.report, .health):
            false
        }
    }
}
