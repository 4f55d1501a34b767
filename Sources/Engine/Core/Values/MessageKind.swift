/// The kinds of messages (protocol 6.5); the raw value is the `type` of the wire.
public enum MessageKind: Int, Sendable {
    case plain = 0
    case recipientAdded = 1
    case recipientRemoved = 2
    case call = 3
    case channelNameChanged = 4
    case channelIconChanged = 5
    case pinned = 6
    case joined = 7
    case reply = 19
    case slashCommand = 20
    case contextCommand = 23
}
