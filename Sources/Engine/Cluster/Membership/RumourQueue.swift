/// News that is still to be spread, the least spread first (SWIM 4.1).
///
/// Bounded: each piece is sent a limited number of times, and of more pieces than fit those are dropped that were sent
/// most often. The regular exchange of everything brings them nevertheless.
struct RumourQueue: Sendable {
    private struct Entry {
        var rumour: Rumour
        var transmissions = 0
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
        let most = entries.indices.max { entries[$0].transmissions < entries[$1].transmissions }
        if let most { entries.remove(at: most) }
    }

    /// Everything about the member is of no interest any more.
    mutating func forget(_ node: NodeID) {
        entries.removeAll { $0.rumour.subject == node }
    }

    /// The pieces that the next message carries; counts them as sent.
    mutating func take(atMost limit: Int, sendingEach times: Int) -> [Rumour] {
        guard !entries.isEmpty, limit > 0 else { return [] }
        var chosen = Array(entries.indices)
        if chosen.count > limit {
            chosen.sort { (entries[$0].transmissions, -$0) < (entries[$1].transmissions, -$1) }
            chosen.removeLast(chosen.count - limit)
        }
        let rumours = chosen.map { entries[$0].rumour }
        for index in chosen { entries[index].transmissions += 1 }
        entries.removeAll { $0.transmissions >= times }
        return rumours
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
