/// Watches numbers that have to come one after the other, and tells what went wrong with one that does not.
struct NumberCheck: Sendable {
    enum Finding: Equatable {
        case inOrder
        /// Numbers before it have not come yet; they may still.
        case ahead
        /// It was missing and comes late.
        case late
        /// It came before.
        case again
    }

    /// As many missing numbers are remembered; of more it is only known that they are many.
    static let maximumMissing = 10_000

    /// The greatest number that came.
    private(set) var last: Int
    private(set) var missing: Set<Int> = []
    /// How many missing numbers could not be remembered.
    private(set) var forgotten = 0

    init(last: Int) { self.last = last }

    /// Takes a number if it is the next one, which nearly all are.
    @inline(__always)
    mutating func advance(to number: Int) -> Bool {
        guard number == last + 1 else { return false }
        last = number
        return true
    }

    mutating func take(_ number: Int) -> Finding {
        if advance(to: number) { return .inOrder }
        guard number > last else { return missing.remove(number) == nil ? .again : .late }
        let gap = last + 1..<number
        let room = Self.maximumMissing - missing.count
        missing.formUnion(gap.prefix(room))
        forgotten += max(0, gap.count - room)
        last = number
        return .ahead
    }
}
