/// How many bytes of data frames may still be sent on one connection.
///
/// A frame may be begun while any credit is left, so that one frame may overdraw it; the receiver allows for that.
struct SendCredit {
    private(set) var available: Int
    private let window: Int

    /// As much as the peer's window. A window beyond what memory can hold is taken as the largest sensible one.
    init(window: UInt64) {
        self.window = Int(clamping: min(window, 1 << 40))
        available = self.window
    }

    /// Whether a frame may be begun.
    var maySend: Bool { available > 0 }

    /// How many bytes were sent that the peer has not used up.
    var inFlight: Int { window - available }

    /// A frame goes out.
    mutating func spend(_ count: Int) {
        available -= count
    }

    /// The peer used bytes up; false when it gives more than it took.
    mutating func granted(_ count: UInt64) -> Bool {
        guard count <= UInt64(max(0, inFlight)) else { return false }
        available += Int(count)
        return true
    }
}
