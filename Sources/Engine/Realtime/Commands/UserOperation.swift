import FluxCore

/// What a person or bot asks of their own account: protocol 5.2, 5.3, 9 and 10.3.
public enum UserOperation: Sendable, Equatable {
    /// The own user object.
    case get
    /// Body: the partial own user; images stand as their hashes.
    case updateProfile

    case listRelationships
    /// Asks the peer, whom the edge has found by name, or accepts.
    case requestFriend(UserID)
    /// Body: `type` 1 or none asks or accepts, 2 blocks.
    case setRelationship(UserID)
    case removeRelationship(UserID)
    /// Body: `nickname`.
    case updateRelationship(UserID)

    case listDirectMessages
    /// Body: `recipient_id` or `recipients`.
    case openDirectMessage
    case closeDirectMessage(ChannelID)

    /// Body: `mention_count`, `manual`.
    case acknowledge(ChannelID, MessageID)
    /// Body: `read_states`.
    case acknowledgeMany
    case receipts(ChannelID)

    case settings
    /// Body: the partial settings.
    case updateSettings
    /// Body: the partial settings of a guild.
    case updateGuildSettings(GuildID)
    case note(UserID)
    /// Body: `note`.
    case setNote(UserID)
}
