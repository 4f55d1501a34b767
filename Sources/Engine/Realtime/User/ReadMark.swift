import FluxCore
import FluxStore

/// How far a user has read in one channel (protocol 9.2).
package struct ReadMark: Sendable, Equatable {
    var channelID: ChannelID
    var lastMessageID: MessageID
    /// Mentions marked as unread by hand.
    var markedCount: Int
    /// Grows with each change, so that clients and the store know which is later.
    var version: Int64
    /// Whether the user's sessions are told: not for one's own messages, which each session sees itself.
    var isSilent: Bool
    /// Whether it was set by hand, perhaps backwards.
    var isManual: Bool
}
