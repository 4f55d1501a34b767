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
    /// A new owner does not look for reactions that were shown in vain.
    case reactionVoidsForgotten
    /// A resumed session sends what was missed as new, too.
    case deliveredTwiceAfterResume
    /// A session takes its snapshot before it is registered.
    case snapshotBeforeRegistering
    /// A request to take something from a member is answered before the relays have applied it.
    case accessTakenBeforeConfirmation
    /// A relay passes on what comes from an owner whose lease has run out.
    case deliveryWithoutLease
    /// A user's owner takes out of the outbox what others have told, and does nothing about it.
    case outboxForgotten
    /// A user's owner looks into the outbox only when it is told that something waits there.
    case outboxUnswept
    /// A user's owner shows what follows a gap in a conversation without asking for what is missing.
    case conversationGapIgnored
    /// A user's owner does not take back what it has shown of a conversation and was never committed.
    case conversationNotRetracted
    /// A user's new owner lets every relay go on, whatever it has shown.
    case staleUserViewKept
    /// A session is sent to another node before it has seen all that this one will not be told.
    case frozenTooEarly
    /// Verdicts count whether or not their voters live.
    case votesOfTheDead
}
