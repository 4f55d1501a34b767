/// How many bytes of data frames the peer may still send on one connection.
///
/// Credit goes back in portions of an eighth of the window, so that it costs few frames and the sender never stands still
/// while the receiver keeps up.
struct ReceiveCredit {
    private let window: Int
    private let overdraft: Int
    private var outstanding = 0
    private var used = 0

    /// `overdraft`: the bytes of the largest frame.
    init(window: Int, overdraft: Int) {
        self.window = window
        self.overdraft = overdraft
    }

    /// A frame came; false when the peer had no credit for it.
    mutating func received(_ count: Int) -> Bool {
        guard outstanding < window, count <= overdraft else { return false }
        outstanding += count
        return true
    }

    /// So many bytes were used up.
    mutating func consumed(_ count: Int) {
        used += count
    }

    /// What to give back now: nil as long as it is not worth a frame.
    mutating func grant() -> UInt64? {
        guard used > 0, used >= window / 8 else { return nil }
        defer { used = 0 }
        outstanding -= used
        return UInt64(used)
    }
}
