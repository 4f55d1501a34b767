/// A mistake that a world makes on purpose, so that it can be seen that its checks find it. Nothing of it is in production code.
public enum PlantedBug: String, CaseIterable, Sendable {
    /// Postgres commits a batch whatever its generation.
    case noFencing
    /// A send is answered as soon as it is decided.
    case acknowledgedBeforeCommit
    /// A new owner begins a channel's numbers anew.
    case sequenceRestarts
    /// A new owner does not load the nonces.
    case nonceForgotten
    /// A new owner tells relays that all they have shown stands.
    case noRetraction
    /// A resumed session sends what was missed as new, too.
    case deliveredTwiceAfterResume
    /// A session takes its snapshot before it is registered.
    case snapshotBeforeRegistering
    /// A request to take something from a member is answered before the relays have applied it.
    case accessTakenBeforeConfirmation
    /// A relay passes on what comes from an owner whose lease has run out.
    case deliveryWithoutLease
    /// A session is sent to another node before it has seen all that this one will not be told.
    case frozenTooEarly
    /// Verdicts count whether or not their voters live.
    case votesOfTheDead
}
