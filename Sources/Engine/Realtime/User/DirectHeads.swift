import FluxCore

/// Where a conversation stood when one of its events was shown: its newest message and its number (protocol 10.5).
struct DirectHead: Equatable, Sendable {
    var lastMessageID: MessageID?
    var lastSequence: SequenceNumber
    var epoch: Epoch
}

/// Where the user's conversations stand as their events have been shown, for those events that may not be durable yet: what
/// READY says of a conversation is read from Postgres, which is behind what a session would have been shown (I6).
///
/// A value without I/O. Bounded: entries are kept for as long as a lane holds what it cannot commit.
struct DirectHeads {
    /// Longer than a lane holds a write.
    static let keepMilliseconds: UInt64 = 60_000
    /// Beyond, old entries are looked for at every new one.
    static let comfortableCount = 128

    private var heads: [ChannelID: (head: DirectHead, at: UInt64)] = [:]

    var count: Int { heads.count }

    /// An event of the conversation was shown.
    mutating func saw(_ head: DirectHead, of channel: ChannelID, at now: UInt64) {
        heads[channel] = (head, now)
        if heads.count > Self.comfortableCount {
            heads = heads.filter { now < $0.value.at + Self.keepMilliseconds }
        }
    }

    /// Brings a conversation as it was stored up to what was shown.
    func bringUp(_ channel: inout Channel) {
        guard let head = heads[channel.id]?.head,
            (head.epoch, head.lastSequence) > (channel.epoch, channel.lastSeq)
        else { return }
        channel.lastMessageID = head.lastMessageID
        channel.lastSeq = head.lastSequence
        channel.epoch = head.epoch
    }
}
