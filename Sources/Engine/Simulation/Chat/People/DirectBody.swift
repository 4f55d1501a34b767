import FluxCore
import FluxRealtime

/// What the body of a conversation's event says: a client reads there what the stream's mark says of a guild's event, since a
/// user's stream marks its events with the version of all that is shown.
enum DirectBody {
    private static let wordLength = 8

    /// - Parameter decision: as `Ledger.body` makes it.
    static func make(_ decision: [UInt8], _ channel: ChannelID, sequence: SequenceNumber, epoch: Epoch) -> [UInt8] {
        decision + word(channel.rawValue) + word(UInt64(bitPattern: sequence)) + word(UInt64(bitPattern: epoch))
    }

    /// The event as it would come in a guild's stream; nil for one that is none of a conversation.
    static func read(_ event: StreamEvent) -> (channel: ChannelID, event: StreamEvent)? {
        let body = event.body
        guard body.count == 4 * wordLength else { return retraction(event) }
        let channel = ChannelID(number(body, 1))
        let head = ChannelHead(
            channelID: channel, sequence: SequenceNumber(bitPattern: number(body, 2)),
            epoch: Epoch(bitPattern: number(body, 3)))
        return (
            channel,
            StreamEvent(
                kind: event.kind, body: Array(body[..<wordLength]), audience: .viewers(of: channel),
                mark: .log(head, event.kind, messageID: nil))
        )
    }

    /// A MESSAGE_DELETE without a number.
    private static func retraction(_ event: StreamEvent) -> (channel: ChannelID, event: StreamEvent)? {
        guard event.kind == .messageDelete, let body = try? JSON.parse(event.body),
            let channel = body["channel_id"]?.snowflakeValue
        else { return nil }
        return (channel, event)
    }

    private static func word(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

    private static func number(_ body: [UInt8], _ index: Int) -> UInt64 {
        var number: UInt64 = 0
        for byte in body[index * wordLength..<(index + 1) * wordLength].reversed() {
            number = number << 8 | UInt64(byte)
        }
        return number
    }
}
