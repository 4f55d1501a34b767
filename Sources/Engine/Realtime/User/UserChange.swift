import FluxCore
import FluxStore

/// One change of what belongs to a user, with the whole new state of what changed: enough to store it, to apply it, and to
/// tell of it.
package enum UserChange: Sendable, Equatable {
    /// This side of a relationship; the account of the other one is for the event.
    case relationship(RelationshipSide, peer: User)
    /// The other side is to be told.
    case noticeSent(OutboxEntry)
    /// The other side's word is taken in, whatever it came to.
    case noticeTaken(Snowflake)
    case read(ReadMark)
    case receipt(Receipt, to: [UserID])
    case settings(UserSettings, patch: JSONObject)
    /// How far the user has read is taken back from these DMs.
    case receiptsWithdrawn([ChannelID])
    case guildSettings(GuildID, JSONObject)
    /// Empty: removed.
    case note(String, about: UserID)
}
