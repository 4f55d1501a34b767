import FluxCluster
import FluxCore

/// The calls to guilds by number; see `ChannelCalls`.
enum GuildCalls {
    /// A session of a member listens no longer.
    static let unwatch = Call<GuildActor, GuildWatch, Nothing>(number: 10)
    /// A session of a member, which has moved to another node, listens there. To count it twice does no harm.
    static let watch = Call<GuildActor, GuildWatch, Nothing>(number: 14, isIdempotent: true)
    /// A node's relay wants the guild's stream.
    static let register = Call<GuildActor, RelayRegistration, RelayWelcome>(number: 13, isIdempotent: true)
    /// A member's presence changed.
    static let presence = Call<GuildActor, MemberPresence, Nothing>(number: 11, isIdempotent: true)
    /// Something waits in the outbox; answered when it has been looked at.
    static let outbox = Call<GuildActor, Nothing, Nothing>(number: 12, isIdempotent: true)
}
