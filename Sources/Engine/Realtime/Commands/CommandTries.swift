import Synchronization

/// Whether a command was sent again although an earlier try of it may have been carried out.
final class CommandTries: Sendable {
    private let mark = Atomic<Bool>(false)

    var isRepeat: Bool { mark.load(ordering: .acquiring) }

    /// It is sent again.
    @Sendable func repeated() { mark.store(true, ordering: .releasing) }
}
