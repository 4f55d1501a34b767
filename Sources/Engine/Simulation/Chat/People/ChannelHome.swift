import FluxCluster
import FluxCore
import FluxRealtime

/// What a channel needs of the place it belongs to, as production's `Conversation`.
protocol ChannelHome: AnyObject {
    var node: ChatNode { get }
    /// Nil: it is a conversation.
    var guildID: GuildID? { get }
    var slot: Slot { get }
    /// The epoch of the slot's lease.
    var epoch: Epoch { get }

    /// Whether somebody has all of these permissions in the channel now.
    func permits(_ needed: Permissions, to userID: UserID, in channel: ChannelID) -> Bool

    /// Sends an entry of the channel's log to those who may see it.
    /// - Parameter lastMessageID: of the newest message then.
    func publish(
        _ kind: EventKind, body: [UInt8], _ head: ChannelHead, _ message: MessageID, lastMessageID: MessageID?)
}
