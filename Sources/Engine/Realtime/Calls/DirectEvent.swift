import FluxCluster
import FluxCore

/// An event of a DM on its way to one of its recipients.
package struct DirectEvent: WireCodable, Equatable {
    package var channelID: ChannelID
    package var kind: EventKind
    package var body: [UInt8]
    /// With a new message: the `d` of the CHANNEL_CREATE that comes first if the recipient does not have the DM open.
    package var opening: [UInt8]
    /// Where the conversation stands with this event.
    package var head: DirectHead
    /// Whether the event is the entry of the conversation's log at `head`; typing is none.
    package var isLogged: Bool
    /// The message that a logged event is about.
    package var messageID: MessageID?

    package func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(channelID)
            fields.byte(kind.rawValue)
            fields.byteArray(body)
            fields.byteArray(opening)
            fields.value(head)
            fields.bool(isLogged)
            fields.optional(messageID)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            DirectEvent(
                channelID: try fields.value(), kind: try fields.eventKind(), body: try fields.byteArray(),
                opening: try fields.byteArray(), head: try fields.value(), isLogged: try fields.bool(),
                messageID: try fields.optional())
        }
    }

    package init(
        channelID: ChannelID, kind: EventKind, body: [UInt8], opening: [UInt8] = [], head: DirectHead,
        isLogged: Bool, messageID: MessageID? = nil
    ) {
        self.channelID = channelID
        self.kind = kind
        self.body = body
        self.opening = opening
        self.head = head
        self.isLogged = isLogged
        self.messageID = messageID
    }
}
