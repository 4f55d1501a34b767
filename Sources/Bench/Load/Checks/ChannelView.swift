/// What one client believes about one channel's log, kept as protocol 10.5 tells a client to keep it, and what of it could not
/// have been told so.
///
/// Live events have to come by growing number without a gap; what the log tells after a lost session may leave out numbers
/// that were never committed. Whether a number that never came is lost, the log decides in the end (``Audit``).
struct ChannelView {
    /// What was wrong with an event.
    enum Finding: Equatable {
        case duplicate
        case disorder
        case replacedSilently
    }

    /// The number from which on it knows the log: what came up to it is not its business.
    private(set) var base: Place
    private(set) var held = HeldRuns()
    /// Numbers below the greatest one that have not come live.
    private(set) var missing: Set<Int> = []
    /// How many events were taken back by a deletion, and by `rolled_back_to`.
    private(set) var retractions = 0
    private(set) var rolledBack = 0
    /// Whether the log has to be asked for what came while there was no session; live events wait until then.
    private(set) var isCatchingUp = false
    private var waiting: [LoggedEvent] = []
    /// Numbers that the log told though they come live, too: the page was read after READY was written.
    private var toldByLog: Set<Int> = []
    /// Where READY said that the channel stood: the session's live events come after that, or are of a later owner, who may give
    /// numbers again that did not survive.
    private var ready: Place?
    /// Numbers below the head that were taken back.
    private(set) var taken: Set<Int> = []

    /// How many live events wait for the log at most.
    static let maximumWaiting = 200_000
    private static let maximumMissing = 10_000

    /// A view that begins where READY says that the channel stands.
    init(from base: Place) { self.base = base }

    /// The last place that it knows.
    var head: Place { held.last ?? base }

    // MARK: Live

    /// Takes in an event that came live.
    mutating func take(_ event: LoggedEvent) -> Finding? {
        guard !isCatchingUp else {
            waiting.append(event)
            return nil
        }
        guard let place = event.place else {
            if let place = event.retracted { takeBack(place) }
            return nil
        }
        return take(place)
    }

    /// Where its live events begin, for reports.
    var origin: String { ready.map { "live after \($0)" } ?? "never lost a session" }

    /// Whether more waits than may.
    var isOverfull: Bool { waiting.count > Self.maximumWaiting }

    private mutating func take(_ place: Place) -> Finding? {
        let head = head
        if place.seq == head.seq + 1, place.epoch >= head.epoch {
            held.append(place)
            return nil
        }
        if place.seq > head.seq {
            missing.formUnion((head.seq + 1..<place.seq).prefix(max(0, Self.maximumMissing - missing.count)))
            held.append(place)
            return place.epoch < head.epoch ? .disorder : nil
        }
        if missing.remove(place.seq) != nil {
            held.insert(place)
            return .disorder
        }
        if let epoch = held.epoch(of: place.seq) {
            if epoch == place.epoch { return toldByLog.remove(place.seq) == nil ? .duplicate : nil }
            guard place.epoch > epoch else { return .disorder }
            rewind(to: place.seq - 1)
            held.append(place)
            return .replacedSilently
        }
        // What READY counted and nobody had shown to this client did not survive: the new owner gives the number again.
        guard held.isEmpty, place.epoch > base.epoch, place.seq <= base.seq else { return .duplicate }
        base = Place(epoch: place.epoch, seq: place.seq - 1)
        held.append(place)
        return nil
    }

    /// A deletion takes back what was shown at a place and did not survive.
    private mutating func takeBack(_ place: Place) {
        guard held.epoch(of: place.seq) == place.epoch else { return }
        retractions += 1
        taken.insert(place.seq)
        while let last = held.last, taken.remove(last.seq) != nil { held.removeLast() }
        missing = missing.filter { $0 < head.seq }
    }

    private mutating func rewind(to seq: Int) {
        held.cut(above: seq)
        missing = missing.filter { $0 <= seq }
        taken = taken.filter { $0 <= seq }
        toldByLog = toldByLog.filter { $0 <= seq }
    }

    // MARK: From the log

    /// A new session begins: what the log holds beyond the head comes first, live events wait.
    /// - Parameter ready: where READY says that the channel stands.
    mutating func beginCatchUp(at ready: Place) {
        isCatchingUp = true
        waiting = []
        self.ready = ready
        // A page that was asked for in the former session and came while this one opened may tell more than READY counts.
        toldByLog = []
        for run in held.runs.reversed() {
            for seq in (run.first...run.last).reversed() {
                guard comesLive(Place(epoch: run.epoch, seq: seq)), toldByLog.count < Self.maximumMissing else {
                    return
                }
                toldByLog.insert(seq)
            }
        }
    }

    /// Whether what stands at a place comes live in this session.
    private func comesLive(_ place: Place) -> Bool {
        guard let ready else { return true }
        return place.seq > ready.seq || place.epoch > ready.epoch
    }

    /// What the client saw stands only up to a number.
    mutating func rollBack(to seq: Int) {
        rolledBack += held.cut(above: seq)
        rewind(to: seq)
        if seq < base.seq { base.seq = seq }
    }

    /// Takes in an entry of the log. - Returns: false if it does not come after the head.
    mutating func takeLogged(_ place: Place) -> Bool {
        guard place.seq > head.seq, place.epoch >= (held.last?.epoch ?? 0) else { return false }
        held.append(place)
        if comesLive(place) { toldByLog.insert(place.seq) }
        return true
    }

    /// The log has been read up to where it stands: what came live meanwhile follows.
    mutating func endCatchUp() -> [(event: LoggedEvent, finding: Finding)] {
        isCatchingUp = false
        let logged = head
        var findings: [(LoggedEvent, Finding)] = []
        for event in waiting {
            guard let place = event.place else {
                if let place = event.retracted { takeBack(place) }
                continue
            }
            // The log told it already, or told what stands there now, or goes on under a later owner, who took it back.
            if place.epoch < logged.epoch { continue }
            if place.seq <= head.seq, (held.epoch(of: place.seq) ?? Int.max) >= place.epoch,
                toldByLog.remove(place.seq) != nil || held.epoch(of: place.seq) != place.epoch
            {
                continue
            }
            if let finding = take(place) { findings.append((event, finding)) }
        }
        waiting = []
        return findings
    }
}
