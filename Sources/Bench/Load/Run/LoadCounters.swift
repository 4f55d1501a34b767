/// What a loop has counted since it began.
struct LoadCounters: Sendable {
    /// Sends that were due.
    var sends = 0
    var acknowledgements = 0
    /// Requests that failed: error answers (a 503 counts), and requests whose connection ended before the answer.
    var failures = 0
    /// Sends that were made once more under the same nonce.
    var repeats = 0
    /// Answers to repeats of what was acknowledged already.
    var repeatsAnswered = 0
    /// MESSAGE_CREATE events that sessions were told.
    var deliveries = 0
    /// All dispatches.
    var dispatches = 0
    /// Event bodies that were parsed; all other deliveries had a body that was known byte by byte.
    var parsedBodies = 0
    /// Connections that were lost, sessions taken up again, sessions begun anew.
    var lostConnections = 0
    var resumptions = 0
    var lostSessions = 0

    static func + (left: LoadCounters, right: LoadCounters) -> LoadCounters { combine(left, right, +) }
    static func - (left: LoadCounters, right: LoadCounters) -> LoadCounters { combine(left, right, -) }

    private static func combine(_ left: LoadCounters, _ right: LoadCounters, _ operation: (Int, Int) -> Int)
        -> LoadCounters
    {
        var result = LoadCounters()
        let members: [WritableKeyPath<LoadCounters, Int>] = [
            \.sends, \.acknowledgements, \.failures, \.repeats, \.repeatsAnswered, \.deliveries, \.dispatches,
            \.parsedBodies, \.lostConnections, \.resumptions, \.lostSessions,
        ]
        for member in members { result[keyPath: member] = operation(left[keyPath: member], right[keyPath: member]) }
        return result
    }
}
