/// The life of one gateway session over as many connections as it takes (protocol 7.4 to 7.6), as a value: it is told what
/// happened and says what to do.
struct SessionMachine {
    enum State: Equatable {
        /// Not connected; a connection is asked for.
        case away
        /// A connection is being made, or its HELLO is waited for.
        case connecting
        /// READY or RESUMED is waited for.
        case opening(isResuming: Bool)
        /// Everything that happens comes.
        case live
        /// It does not come back.
        case ended(String)
    }

    enum Action: Equatable {
        /// Make a connection after so many milliseconds.
        case connect(after: Int)
        case identify
        case resume
        /// Close the connection with a code that lets the session live on, then come back after so many milliseconds.
        case leave(comingBackAfter: Int)
        /// Close the connection for good.
        case giveUp(String)
        case none
    }

    /// The longest pause between two attempts.
    static let longestPause = 2_000
    private static let shortestPause = 50

    private(set) var state = State.away
    /// Whether there is a session that can be taken up again.
    private(set) var hasSession = false
    /// How often RESUMED came, and how often a session could not be taken up again.
    private(set) var resumptions = 0
    private(set) var lostSessions = 0
    private var failures = 0
    /// Whether this connection has taken a session up.
    private var hasResumed = false

    /// Begins.
    mutating func start() -> Action {
        state = .away
        return .connect(after: 0)
    }

    /// A connection is being made.
    mutating func connecting() {
        state = .connecting
        hasResumed = false
    }

    mutating func hello() -> Action {
        guard state == .connecting else { return .none }
        state = .opening(isResuming: hasSession)
        return hasSession ? .resume : .identify
    }

    /// - Returns: false if READY was not waited for.
    mutating func ready() -> Bool {
        guard state == .opening(isResuming: false) else { return false }
        opened()
        hasSession = true
        return true
    }

    /// RESUMED came. One of an earlier connection that did not arrive there is among what is replayed, before this
    /// connection's own (protocol 7.5).
    /// - Returns: false if it was not waited for.
    mutating func resumed() -> Bool {
        guard state == .opening(isResuming: true) else { return state == .live && hasResumed }
        opened()
        hasResumed = true
        resumptions += 1
        return true
    }

    private mutating func opened() {
        state = .live
        failures = 0
    }

    /// Op 9. The connection stays open for an IDENTIFY.
    mutating func invalidSession(isResumable: Bool, jitter: Int) -> Action {
        if isResumable { return leave(jitter: jitter) }
        if hasSession {
            lostSessions += 1
            hasSession = false
        }
        guard state == .live || state == .opening(isResuming: true) else { return leave(jitter: jitter) }
        state = .opening(isResuming: false)
        return .identify
    }

    /// Op 7, or nothing came for too long: another connection is wanted.
    mutating func leave(jitter: Int) -> Action {
        switch state {
        case .ended, .away: return .none
        case .connecting, .opening, .live:
            state = .away
            return .leave(comingBackAfter: pause(jitter))
        }
    }

    /// The connection is gone, or could not be made. - Parameter jitter: a random number of milliseconds.
    mutating func disconnected(closeCode: Int?, jitter: Int) -> Action {
        switch state {
        case .ended, .away:
            return .none
        case .connecting, .opening, .live:
            if let closeCode, Self.isFinal(closeCode) {
                state = .ended("closed with \(closeCode)")
                return .giveUp("closed with \(closeCode)")
            }
            if let closeCode, [1_000, 1_001].contains(closeCode), !hasSession { failures = 0 }
            state = .away
            return .connect(after: pause(jitter))
        }
    }

    /// The run is over.
    mutating func end() { state = .ended("the run is over") }

    private mutating func pause(_ jitter: Int) -> Int {
        let longest = min(Self.longestPause, Self.shortestPause << min(failures, 10))
        failures += 1
        return longest / 2 + (longest > 1 ? jitter % (longest / 2 + 1) : 0)
    }

    /// After these a client does not return (protocol 7.6).
    private static func isFinal(_ code: Int) -> Bool { code == 4_004 || (4_010...4_014).contains(code) }
}
