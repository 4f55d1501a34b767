/// Virtual time: what happens at which moment, earliest first, in the order of its scheduling where moments are equal.
///
/// A binary heap; time jumps from one event to the next and never goes back.
public struct EventQueue<Event> {
    private var heap: [QueuedMoment] = []
    private var lastNumber: UInt64 = 0
    /// The events themselves stay where they are while the heap is sorted.
    private var events: [Event?] = []
    private var freePlaces: [Int] = []

    /// The moment that has been reached.
    public private(set) var now: Duration = .zero

    /// An empty queue at zero.
    public init() {}

    /// How many events are to come.
    public var count: Int { heap.count }

    /// When the next event happens.
    public var nextTime: Duration? { heap.first?.time }

    /// Lets the event happen then, or at once when that is over.
    public mutating func schedule(_ event: Event, at time: Duration) {
        lastNumber += 1
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            events[place] = event
        } else {
            place = events.count
            events.append(event)
        }
        heap.append(QueuedMoment(time: max(now, time), number: lastNumber, place: place))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].comesBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Moves time to a moment before the next event.
    mutating func advance(to time: Duration) { now = max(now, min(time, nextTime ?? time)) }

    /// Takes the next event that happens up to `end` and moves time there; without one, moves time to `end`.
    public mutating func next(until end: Duration) -> Event? {
        guard let first = heap.first, first.time <= end else {
            now = max(now, end)
            return nil
        }
        now = first.time
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        freePlaces.append(first.place)
        defer { events[first.place] = nil }
        return events[first.place]
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in 2 * parent + 1...2 * parent + 2 where child < heap.count {
                if heap[child].comesBefore(heap[least]) { least = child }
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

extension EventQueue: Sendable where Event: Sendable {}

/// The moment of an event, and where the event is kept.
private struct QueuedMoment: Sendable {
    let time: Duration
    let number: UInt64
    let place: Int

    func comesBefore(_ other: QueuedMoment) -> Bool {
        time == other.time ? number < other.number : time < other.time
    }
}
