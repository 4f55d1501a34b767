import DequeModule

/// Calls that reach nobody now, and wait until they do: the owner of their slot is not known, is not linked, or has just given
/// the slot away.
///
/// A pure state machine; one exists per loop and only that loop uses it. Guarantees:
/// - Calls to one actor stand in a line and leave it together, in the order in which they were made, whatever the order in
///   which they came to wait.
/// - Bounded in calls and in bytes of their arguments: at a bound it takes no more.
/// - Each has an end, at which it is given up.
///
/// Time is counted in ticks.
struct StalledCalls<Element> {
    private struct Entry {
        let order: UInt64
        let bytes: Int
        let end: Int64
        let element: Element
    }

    private struct Line {
        /// In the order in which the calls were made.
        var entries: Deque<Entry> = []
        /// When the line is tried even if nothing is heard.
        var nextTry: Int64
    }

    private var lines: [ActorAddress: Line] = [:]
    private let maximumCount: Int
    private let maximumBytes: Int
    /// How many wait.
    private(set) var count = 0
    /// The size of their arguments together.
    private(set) var bytes = 0

    /// Nobody waits.
    init(maximumCount: Int, maximumBytes: Int) {
        self.maximumCount = maximumCount
        self.maximumBytes = maximumBytes
    }

    /// Whether nobody waits.
    var isEmpty: Bool { lines.isEmpty }

    /// Whether calls to the actor wait, so that a later one has to wait behind them.
    func holds(_ address: ActorAddress) -> Bool { lines[address] != nil }

    /// A call waits.
    /// - Parameters:
    ///   - order: grows with the calls as they are made.
    ///   - bytes: the size of its arguments.
    ///   - end: the tick at which it is given up.
    ///   - nextTry: the tick at which the line is tried again if this call is its first.
    /// - Returns: false, without effect, at a bound.
    mutating func stall(
        _ element: Element, order: UInt64, bytes: Int, at address: ActorAddress, until end: Int64, nextTry: Int64
    ) -> Bool {
        guard count < maximumCount, self.bytes + bytes <= maximumBytes else { return false }
        var line = lines.removeValue(forKey: address) ?? Line(nextTry: nextTry)
        // Nearly always the last place: who comes out of turn was on its way when others began to wait.
        var place = line.entries.endIndex
        while place > 0, line.entries[place - 1].order > order { place -= 1 }
        if place == 0 { line.nextTry = nextTry }
        line.entries.insert(Entry(order: order, bytes: bytes, end: end, element: element), at: place)
        lines[address] = line
        count += 1
        self.bytes += bytes
        return true
    }

    /// A call has ended otherwise.
    mutating func remove(order: UInt64, at address: ActorAddress) {
        guard let place = lines[address]?.entries.firstIndex(where: { $0.order == order }),
            let entry = lines[address]?.entries.remove(at: place)
        else { return }
        if lines[address]?.entries.isEmpty == true { lines[address] = nil }
        left(entry)
    }

    /// Takes out all calls to the actors that the condition holds for, in the order in which they were made.
    mutating func take(where condition: (ActorAddress) -> Bool) -> [Element] {
        take(lines.keys.filter(condition))
    }

    /// Takes out the lines whose time has come to be tried again.
    mutating func takeDue(at tick: Int64) -> [Element] {
        take(lines.compactMap { $0.value.nextTry <= tick ? $0.key : nil })
    }

    /// Takes out the calls that have waited too long; the others go on waiting.
    mutating func expire(at tick: Int64) -> [Element] {
        var over: [Entry] = []
        for (address, line) in lines where line.entries.contains(where: { $0.end <= tick }) {
            over.append(contentsOf: line.entries.filter { $0.end <= tick })
            let rest = line.entries.filter { $0.end > tick }
            lines[address] = rest.isEmpty ? nil : Line(entries: rest, nextTry: line.nextTry)
        }
        return out(over)
    }

    private mutating func take(_ addresses: [ActorAddress]) -> [Element] {
        out(addresses.flatMap { lines.removeValue(forKey: $0)?.entries ?? [] })
    }

    private mutating func out(_ entries: [Entry]) -> [Element] {
        for entry in entries { left(entry) }
        return entries.sorted { $0.order < $1.order }.map(\.element)
    }

    private mutating func left(_ entry: Entry) {
        count -= 1
        bytes -= entry.bytes
    }
}
