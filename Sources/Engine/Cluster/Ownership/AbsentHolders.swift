/// Owners of slots whose heartbeats no longer reach Postgres, as the answers to this node's own say: their slots can be
/// taken there, however well they answer other nodes. A pure value; Postgres has the last word.
///
/// That a node is in no answer says nothing by itself: an answer may be older than the node's start, and after a break
/// of Postgres, or of the way to it, the others need a moment to come back. So it counts for whom an answer has named
/// since the last break, and for others after as long as a heartbeat lives.
struct AbsentHolders: Sendable {
    /// Those whose slots are worth asking for.
    private(set) var missing: Set<NodeID> = []
    /// Whom an answer has named since the last break.
    private var seen: Set<NodeID> = []
    /// Since when owners are in no answer.
    private var absentSince: [NodeID: Duration] = [:]
    private let expiry: Duration

    /// - Parameter expiry: how long a heartbeat lives in Postgres.
    init(expiry: Duration) { self.expiry = expiry }

    /// A heartbeat was answered. `holders`: who owns slots. `afterBreak`: there was no answer for so long that what
    /// earlier ones said counts no more.
    mutating func answered(living: Set<NodeID>, holders: Set<NodeID>, afterBreak: Bool, at now: Duration) {
        if afterBreak {
            seen = []
            absentSince = [:]
        }
        seen.formUnion(living)
        let absent = holders.subtracting(living)
        absentSince = Dictionary(uniqueKeysWithValues: absent.map { ($0, absentSince[$0] ?? now) })
        missing = absent.filter { seen.contains($0) || now - (absentSince[$0] ?? now) >= expiry }
    }
}
