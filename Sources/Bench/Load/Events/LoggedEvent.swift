import FluxCore

/// One event of a channel, as a client was told it. Read once for each distinct body; all deliveries of that body share it.
final class LoggedEvent {
    /// The channel's number in the run's table.
    let channel: Int
    let identity: EventIdentity
    /// Its place; nil for what is no entry of the log: the deletion that takes back what was shown and did not survive.
    let place: Place?
    /// Of a retraction the place of what it takes back, if this process has seen it.
    let retracted: Place?
    /// When the message was due, on the clock of this machine; nil for what no load generator has sent.
    let due: UInt64?

    init(channel: Int, identity: EventIdentity, place: Place?, retracted: Place? = nil, due: UInt64? = nil) {
        self.channel = channel
        self.identity = identity
        self.place = place
        self.retracted = retracted
        self.due = due
    }
}

/// What an event's body says.
struct EventBody {
    let channelID: UInt64
    let identity: EventIdentity
    let place: Place?
    let due: UInt64?
    let author: UInt64?
    let nonce: String?

    /// - Returns: nil if something that has to be there is missing.
    init?(_ kind: LogKind, _ body: JSON) {
        guard let channel = body["channel_id"]?.snowflakeValue else { return nil }
        channelID = channel.rawValue
        let isOfMessage = [.created, .updated, .deleted].contains(kind)
        let message = body[isOfMessage ? "id" : "message_id"]?.snowflakeValue?.rawValue
        guard kind == .deletedInBulk || message != nil else { return nil }
        identity = EventIdentity(kind: kind, message: message ?? 0)
        switch (body["seq"]?.intValue, body["epoch"]?.intValue) {
        case (let seq?, let epoch?): place = Place(epoch: epoch, seq: seq)
        case (nil, nil) where kind == .deleted: place = nil
        default: return nil
        }
        due = kind == .created ? body["content"]?.stringValue.flatMap(MessageText.due) : nil
        author = body["author"]?["id"]?.snowflakeValue?.rawValue
        nonce = body["nonce"]?.stringValue
    }
}
