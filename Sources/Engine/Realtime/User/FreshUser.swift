import FluxStore

/// What is read together with an account and serves the session that woke its actor, so that a session of somebody who was
/// away costs one question instead of four.
struct FreshUser {
    /// How long it serves, milliseconds: it is for the call that is about to come.
    static let lifetime: UInt64 = 1_000

    let parts: ReadyParts
    private let readAt: UInt64

    /// - Parameter now: milliseconds of a clock that does not go back.
    init(_ loaded: LoadedUser, at now: UInt64) {
        parts = ReadyParts(
            directMessages: loaded.directMessages.filter(\.isOpen), readStates: loaded.readStates,
            outbox: loaded.outbox)
        readAt = now
    }

    func isGood(at now: UInt64) -> Bool { now < readAt + Self.lifetime }
}
