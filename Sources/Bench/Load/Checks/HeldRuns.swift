/// Which numbers of a channel's log somebody holds, and of which epoch each is: as few runs as it takes, since most come one
/// after the other.
struct HeldRuns: Sendable, Equatable {
    struct Run: Sendable, Equatable {
        var epoch: Int
        var first: Int
        var last: Int
    }

    /// By growing number; runs do not overlap.
    private(set) var runs: [Run] = []

    var isEmpty: Bool { runs.isEmpty }
    /// The greatest number, with its epoch.
    var last: Place? { runs.last.map { Place(epoch: $0.epoch, seq: $0.last) } }

    /// The epoch of a number; nil if it is not held.
    func epoch(of seq: Int) -> Int? {
        // The newest are asked for most.
        for run in runs.reversed() {
            if run.first > seq { continue }
            return seq <= run.last ? run.epoch : nil
        }
        return nil
    }

    /// Adds a number greater than all.
    mutating func append(_ place: Place) {
        if let last = runs.last, last.epoch == place.epoch, last.last + 1 == place.seq {
            runs[runs.count - 1].last = place.seq
        } else {
            runs.append(Run(epoch: place.epoch, first: place.seq, last: place.seq))
        }
    }

    /// Adds a number that was left out.
    mutating func insert(_ place: Place) {
        let index = runs.firstIndex { $0.first > place.seq } ?? runs.count
        runs.insert(Run(epoch: place.epoch, first: place.seq, last: place.seq), at: index)
        joinNeighbours(at: index)
    }

    private mutating func joinNeighbours(at index: Int) {
        if index + 1 < runs.count, runs[index].epoch == runs[index + 1].epoch,
            runs[index].last + 1 == runs[index + 1].first
        {
            runs[index].last = runs[index + 1].last
            runs.remove(at: index + 1)
        }
        if index > 0, runs[index - 1].epoch == runs[index].epoch, runs[index - 1].last + 1 == runs[index].first {
            runs[index - 1].last = runs[index].last
            runs.remove(at: index)
        }
    }

    /// Takes the greatest number away.
    mutating func removeLast() {
        guard let last = runs.last else { return }
        if last.first == last.last { runs.removeLast() } else { runs[runs.count - 1].last -= 1 }
    }

    /// Takes everything above a number away. - Returns: how many that were.
    @discardableResult
    mutating func cut(above seq: Int) -> Int {
        var removed = 0
        while let last = runs.last, last.last > seq {
            removed += last.last - max(seq, last.first - 1)
            if last.first > seq { runs.removeLast() } else { runs[runs.count - 1].last = seq }
        }
        return removed
    }

    /// What lies in a range of numbers.
    func clipped(to range: ClosedRange<Int>) -> HeldRuns {
        var clipped = HeldRuns()
        for run in runs where run.last >= range.lowerBound && run.first <= range.upperBound {
            clipped.runs.append(
                Run(epoch: run.epoch, first: max(run.first, range.lowerBound), last: min(run.last, range.upperBound)))
        }
        return clipped
    }

    /// All places, by growing number.
    var places: some Sequence<Place> {
        runs.lazy.flatMap { run in (run.first...run.last).lazy.map { Place(epoch: run.epoch, seq: $0) } }
    }
}
