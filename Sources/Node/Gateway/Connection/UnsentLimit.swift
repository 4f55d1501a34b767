import NIOCore

/// How much may wait for a client that does not read (I8). A new session is told its guilds, or all that it has missed, at once: until
/// the client has read that, or its time is over, a larger limit holds.
struct UnsentLimit {
    /// How long a new session may take for what it is told first.
    private static let openingTime = TimeAmount.seconds(10)

    /// In bytes.
    let usual: Int
    let opening: Int
    private var hasCaughtUp = false
    private var openingEnds = NIODeadline.uptimeNanoseconds(0)
    /// Whether more waits than may. It stays so: the connection is to be closed.
    private(set) var isExceeded = false

    init(usual: Int, opening: Int) {
        self.usual = usual
        self.opening = opening
    }

    /// A session begins, or goes on.
    mutating func sessionBegins(at now: NIODeadline) {
        hasCaughtUp = false
        openingEnds = now + Self.openingTime
    }

    /// Nothing waits any more.
    mutating func everythingIsSent() { hasCaughtUp = true }

    /// So many bytes wait now. - Parameter now: read only where it matters.
    @inline(__always)
    mutating func check(_ bytes: Int, at now: @autoclosure () -> NIODeadline) {
        if bytes > usual { checkOpening(bytes, at: now()) }
    }

    private mutating func checkOpening(_ bytes: Int, at now: NIODeadline) {
        let isOpening = !hasCaughtUp || now < openingEnds
        if !isOpening || bytes > opening { isExceeded = true }
    }
}
