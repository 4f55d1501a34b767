/// Things that wait for an answer, each until its deadline: found by token, dropped when late, all in constant time.
///
/// A pure state machine. Time is counted in ticks, whose length the shell chooses; a deadline is noticed in its tick, never
/// before. Elements stand in a slab of reused places that are linked into the buckets of a wheel, so that waiting costs no
/// timer, no allocation and no sorting. A token names a place and its generation: an answer that comes twice or late finds
/// nothing. At `bound` elements no more are taken.
struct DeadlineWheel<Element> {
    /// Names one element; never reused for another within four billion uses of its place.
    struct Token: Hashable, RawRepresentable, Sendable {
        let rawValue: UInt64

        init(rawValue: UInt64) { self.rawValue = rawValue }

        fileprivate init(place: Int, generation: UInt32) {
            rawValue = UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: place))
        }

        fileprivate var place: Int { Int(UInt32(truncatingIfNeeded: rawValue)) }
        fileprivate var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
    }

    private struct Place {
        var element: Element?
        var generation: UInt32
        var deadline: Int64
        var next: Int
        var previous: Int
    }

    private static var none: Int { -1 }

    private var places: [Place] = []
    private var freePlaces: [Int] = []
    private var buckets: [Int]
    private var now: Int64
    private let bound: Int

    /// An empty wheel at the given tick.
    init(at now: Int64 = 0, buckets: Int = 512, bound: Int) {
        self.now = now
        self.bound = bound
        self.buckets = Array(repeating: Self.none, count: buckets)
    }

    /// How many elements wait.
    var count: Int { places.count - freePlaces.count }

    /// Keeps the element until it is removed or its deadline's tick is over. Nil at the bound.
    mutating func insert(_ element: Element, deadline: Int64) -> Token? {
        guard count < bound else { return nil }
        let deadline = max(deadline, now)
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            places[place].element = element
            places[place].deadline = deadline
        } else {
            place = places.count
            places.append(
                Place(element: element, generation: 0, deadline: deadline, next: Self.none, previous: Self.none))
        }
        link(place)
        return Token(place: place, generation: places[place].generation)
    }

    /// The element, which no longer waits; nil if it does not wait.
    mutating func remove(_ token: Token) -> Element? {
        let place = token.place
        guard place < places.count, places[place].generation == token.generation, places[place].element != nil else {
            return nil
        }
        unlink(place)
        return free(place)
    }

    /// The element, which goes on waiting.
    func element(_ token: Token) -> Element? {
        let place = token.place
        guard place < places.count, places[place].generation == token.generation else { return nil }
        return places[place].element
    }

    /// All that waits.
    var elements: [Element] { places.compactMap(\.element) }

    /// Moves to the tick and takes out what was due before it, the earliest tick first.
    mutating func advance(to tick: Int64) -> [Element] {
        guard tick > now else { return [] }
        var due: [Element] = []
        let first = tick - now > Int64(buckets.count) ? tick - Int64(buckets.count) : now
        for passed in first..<tick {
            var place = buckets[bucket(of: passed)]
            while place != Self.none {
                let next = places[place].next
                if places[place].deadline < tick {
                    unlink(place)
                    if let element = free(place) { due.append(element) }
                }
                place = next
            }
        }
        now = tick
        return due
    }

    private func bucket(of tick: Int64) -> Int {
        Int(tick % Int64(buckets.count))
    }

    private mutating func link(_ place: Int) {
        let bucket = bucket(of: places[place].deadline)
        let head = buckets[bucket]
        places[place].previous = Self.none
        places[place].next = head
        if head != Self.none { places[head].previous = place }
        buckets[bucket] = place
    }

    private mutating func unlink(_ place: Int) {
        let previous = places[place].previous
        let next = places[place].next
        if previous == Self.none {
            buckets[bucket(of: places[place].deadline)] = next
        } else {
            places[previous].next = next
        }
        if next != Self.none { places[next].previous = previous }
    }

    private mutating func free(_ place: Int) -> Element? {
        let element = places[place].element
        places[place].element = nil
        places[place].generation &+= 1
        freePlaces.append(place)
        return element
    }
}
