/// When, at the end of a loop's turn, a piece of work runs.
public enum TurnPhase: Sendable {
    /// Before what was posted to other loops and nodes leaves: relays put together what they collected.
    case relay
    /// After it has left: sockets write what they collected, a slow system call that no other loop waits for.
    case flush
}
