import FluxCluster
import FluxCore

/// The calls to users by number; see `ChannelCalls`.
enum UserCalls {
    /// Where does one of the user's sessions live?
    static let whereabouts = Call<UserActor, SessionQuestion, SessionWhereabouts>(number: 28, isIdempotent: true)
    /// What became of one of the user's sessions.
    static let session = Call<UserActor, SessionNews, Nothing>(number: 20, isIdempotent: true)
    /// A node's relay wants the user's stream.
    static let register = Call<UserActor, RelayRegistration, RelayWelcome>(number: 27, isIdempotent: true)
    /// An event of a DM for one of its recipients. One that comes twice is known by its place in the log.
    static let directEvent = Call<UserActor, DirectEvent, Nothing>(number: 21, isIdempotent: true)
    /// Where the log of a DM stands, for a recipient who may have missed an event.
    static let directHead = Call<UserActor, ChannelHead, Nothing>(number: 31, isIdempotent: true)
    /// A friend's presence changed.
    static let friendPresence = Call<UserActor, MemberPresence, Nothing>(number: 22, isIdempotent: true, wakes: false)
    /// Something waits in the outbox; answered when it has been looked at.
    static let outbox = Call<UserActor, Nothing, Nothing>(number: 23, isIdempotent: true)
    /// How does the user look to a friend?
    static let presence = Call<UserActor, PresenceQuestion, MemberPresence>(
        number: 24, isIdempotent: true, wakes: false)
    /// How does the user look to the members of one of their guilds?
    static let presenceInGuild = Call<UserActor, GuildPresenceQuestion, MemberPresence>(
        number: 29, isIdempotent: true, wakes: false)
    /// Somebody else of a DM has read.
    static let receipt = Call<UserActor, ReceiptNews, Nothing>(number: 25, isIdempotent: true, wakes: false)
    /// The user has sent a message.
    static let sent = Call<UserActor, SentMark, Nothing>(number: 26, isIdempotent: true)
}
