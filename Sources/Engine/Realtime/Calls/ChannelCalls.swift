import FluxCluster
import FluxCore

/// The calls of the message path by number (design 4). A number never changes its meaning.
enum ChannelCalls {
    /// Sends a message; answered when it is durable.
    static let send = Call<ChannelActor, SendRequest, Sent>(number: 1)
    /// Takes one use of a limit that a request over REST falls under.
    static let budget = Call<ChannelActor, BudgetRequest, BudgetReply>(number: 3)
    /// Two recipients of a DM have blocked or unblocked one another.
    static let relationshipsChanged = Call<ChannelActor, Nothing, Nothing>(number: 2, isIdempotent: true)
    /// What comes after the last entry of a conversation's log that a recipient was shown?
    static let missed = Call<ChannelActor, DirectQuestion, DirectCorrection>(number: 4, isIdempotent: true)
}
