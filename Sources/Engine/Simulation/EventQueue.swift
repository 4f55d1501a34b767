/// Virtual time: what happens at which moment, earliest first, in the order of its scheduling where moments are equal.
///
/// A calendar: what is near lies in one short sorted list, what is far in one unsorted list for each span of time (Brown,
/// "Calendar Queues", 1988), so that the many time-outs which lie seconds ahead cost nothing until they are near. The
/// unsorted lists are linked through the places of the events. Time jumps from one event to the next and never goes back.
public struct EventQueue<Event> {
    /// All that happens up to the end of the span that has been reached, and what is too far for a span. The next is last.
    private var near: [QueuedMoment] = []
    private var lastNumber: UInt64 = 0
    /// The events themselves stay where they are while their moments are sorted.
    private var events: [Event?] = []
    /// A place without an event; the next one is linked to it.
    private var freePlace = none

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
    public var count: Int { near.count + farCount }

    /// When the next event happens.
    public var nextTime: Duration? { near.last.map { Duration(attoseconds: $0.time) } }

    /// When the next event happens, in attoseconds; the greatest number when there is none.
    var nextMoment: Int128 { near.last?.time ?? .max }

    /// Lets the event happen then, or at once when that is over.
    public mutating func schedule(_ event: consuming Event, at time: Duration) {
        lastNumber += 1
        let place = freePlace == none ? events.count : freePlace
        if freePlace != none {
            freePlace = far[place].next
            events[place] = event
        } else {
            events.append(event)
            far.append((QueuedMoment(time: 0, number: 0, place: place), none))
        }
        let moment = QueuedMoment(time: max(now.attoseconds, time.attoseconds), number: lastNumber, place: place)
        let span = moment.span
        guard span > reachedSpan, span < reachedSpan + spanCount else { return insert(moment) }
        far[place] = (moment, spans[span % spanCount])
        spans[span % spanCount] = place
        farCount += 1
        // Near there may be nothing but what is further.
        bringForward()
    }

    /// Moves time to a moment before the next event.
    mutating func advance(to time: Duration) { now = max(now, min(time, nextTime ?? time)) }

    /// Takes the next event that happens up to `end` and moves time there; without one, moves time to `end`.
    public mutating func next(until end: Duration) -> Event? {
        guard let first = near.last, first.time <= end.attoseconds else {
            now = max(now, end)
            return nil
        }
        now = Duration(attoseconds: first.time)
        near.removeLast()
        bringForward()
        far[first.place].next = freePlace
        freePlace = first.place
        // Taken out, not copied: what the event holds is let go with it.
        return events[first.place].take()
    }

    /// Goes on through the spans until the next of all moments is near.
    private mutating func bringForward() {
        while farCount > 0, (near.last?.span ?? .max) > reachedSpan {
            reachedSpan += 1
            let index = reachedSpan % spanCount
            var place = spans[index]
            spans[index] = none
            while place != none {
                farCount -= 1
                insert(far[place].moment)
                place = far[place].next
            }
        }
    }

    /// Puts a moment in its place: what comes before it moves on.
    private mutating func insert(_ moment: QueuedMoment) {
        near.append(moment)
        var index = near.count - 1
        while index > 0, near[index - 1].comesBefore(moment) {
            near[index] = near[index - 1]
            index -= 1
        }
        near[index] = moment
    }
}

extension EventQueue: Sendable where Event: Sendable {}

/// Some 18 seconds of them: more than any time-out takes.
private let spanCount = 16_384
/// No place.
private let none = -1

/// The moment of an event, and where the event is kept.
private struct QueuedMoment: Sendable {
    /// In attoseconds: two words that are compared without a call.
    let time: Int128
    let number: UInt64
    let place: Int

    /// In which span of some 1.1 milliseconds it lies; a power of two, so that nothing is divided.
    var span: Int { Int(truncatingIfNeeded: time >> 50) }

    func comesBefore(_ other: QueuedMoment) -> Bool {
        time == other.time ? number < other.number : time < other.time
    }
}
