/// Virtual time: what happens at which moment, earliest first, in the order of its scheduling where moments are equal.
///
/// A calendar: what is near lies in a binary heap, what is far in one unsorted list for each span of time (Brown, "Calendar
/// Queues", 1988), so that the many time-outs which lie seconds ahead do not make the heap deep. The lists are linked through
/// the places of the events, so that a span costs nothing until something lies in it. Time jumps from one event to the next
/// and never goes back.
public struct EventQueue<Event> {
    /// All that happens up to the end of the span that has been reached, and what is too far for a list.
    private var heap: [QueuedMoment] = []
    private var lastNumber: UInt64 = 0
    /// The events themselves stay where they are while the heap is sorted.
    private var events: [Event?] = []
    private var freePlaces: [Int] = []

    /// The place of an event in each of the spans after the one that has been reached; span `n` lies at `n` modulo their
    /// number.
    private var spans = [Int](repeating: none, count: spanCount)
    /// By place: the moment of an event that is far, and the place of another in its span.
    private var far: [(moment: QueuedMoment, next: Int)] = []
    /// How many moments they hold.
    private var farCount = 0
    private var reachedSpan = 0

    /// The moment that has been reached.
    public private(set) var now: Duration = .zero

    /// An empty queue at zero.
    public init() {}

    /// How many events are to come.
    public var count: Int { heap.count + farCount }

    /// When the next event happens.
    public var nextTime: Duration? { heap.first.map { Duration(attoseconds: $0.time) } }

    /// When the next event happens, in attoseconds; the greatest number when there is none.
    var nextMoment: Int128 { heap.first?.time ?? .max }

    /// Lets the event happen then, or at once when that is over.
    public mutating func schedule(_ event: consuming Event, at time: Duration) {
        lastNumber += 1
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            events[place] = event
        } else {
            place = events.count
            events.append(event)
            far.append((QueuedMoment(time: 0, number: 0, place: place), none))
        }
        let moment = QueuedMoment(time: max(now, time).attoseconds, number: lastNumber, place: place)
        let span = moment.span
        guard span > reachedSpan, span < reachedSpan + spanCount else { return rise(moment) }
        far[place] = (moment, spans[span % spanCount])
        spans[span % spanCount] = place
        farCount += 1
        // In the heap there may be nothing but what is further.
        bringForward()
    }

    /// Moves time to a moment before the next event.
    mutating func advance(to time: Duration) { now = max(now, min(time, nextTime ?? time)) }

    /// Takes the next event that happens up to `end` and moves time there; without one, moves time to `end`.
    public mutating func next(until end: Duration) -> Event? {
        guard let first = heap.first, first.time <= end.attoseconds else {
            now = max(now, end)
            return nil
        }
        now = Duration(attoseconds: first.time)
        let last = heap.removeLast()
        if !heap.isEmpty { sink(last) }
        bringForward()
        freePlaces.append(first.place)
        // Taken out, not copied: what the event holds is let go with it.
        return events[first.place].take()
    }

    /// Goes on through the spans until the first moment in the heap is the next of all.
    private mutating func bringForward() {
        while farCount > 0, (heap.first?.span ?? .max) > reachedSpan {
            reachedSpan += 1
            let index = reachedSpan % spanCount
            var place = spans[index]
            spans[index] = none
            while place != none {
                farCount -= 1
                rise(far[place].moment)
                place = far[place].next
            }
        }
    }

    /// Puts a moment into the heap: parents move down until there is the place for it.
    private mutating func rise(_ moment: QueuedMoment) {
        heap.append(moment)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard moment.comesBefore(heap[parent]) else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = moment
    }

    /// Puts a moment in the place of the first one, and lets it sink to its own.
    private mutating func sink(_ moment: QueuedMoment) {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].comesBefore(heap[child]) { child += 1 }
            guard heap[child].comesBefore(moment) else { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = moment
    }
}

extension EventQueue: Sendable where Event: Sendable {}

/// Some 18 seconds of them: more than any time-out takes.
private let spanCount = 4096
/// No place.
private let none = -1

/// The moment of an event, and where the event is kept.
private struct QueuedMoment: Sendable {
    /// In attoseconds: two words that are compared without a call.
    let time: Int128
    let number: UInt64
    let place: Int

    /// In which span of some 4.5 milliseconds it lies; a power of two, so that nothing is divided.
    var span: Int { Int(truncatingIfNeeded: time >> 52) }

    func comesBefore(_ other: QueuedMoment) -> Bool {
        time == other.time ? number < other.number : time < other.time
    }
}
