/// Which of the edge's keys an owner has to ask Postgres about, because the command may have been carried out before (I4).
///
/// A value without I/O. An edge repeats a command for a minute at most. So an owner of longer standing knows every key that may come
/// again, since it has carried out the command itself; one that is new has to ask about each, for an earlier owner may have.
///
/// Bounded by what one actor, whose changes are committed one after the other, can commit in two lifetimes: some 16 bytes each.
struct PerformedKeys {
    /// For how long a key may come again, in milliseconds; longer than an edge waits for an answer (`Realtime.commandDeadline`).
    static let lifetimeMilliseconds: UInt64 = 120_000

    private let begin: UInt64
    /// Those of this lifetime, and those of the one before it.
    private var newer: Set<UInt64> = []
    private var older: Set<UInt64> = []
    private var turn: UInt64

    /// - Parameter now: when the actor begins, on a clock that does not go back.
    init(at now: UInt64) {
        begin = now
        turn = now
    }

    /// A command is committed.
    mutating func record(_ key: UInt64, at now: UInt64) {
        if now - turn >= Self.lifetimeMilliseconds {
            older = now - turn < 2 * Self.lifetimeMilliseconds ? newer : []
            newer = []
            turn = now
        }
        newer.insert(key)
    }

    /// Whether a command with this key may have been carried out. Never wrong where it says no.
    func mayHold(_ key: UInt64, at now: UInt64) -> Bool {
        now - begin < Self.lifetimeMilliseconds || newer.contains(key) || older.contains(key)
    }
}
