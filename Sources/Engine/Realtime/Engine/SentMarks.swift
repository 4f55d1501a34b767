import FluxCluster
import FluxCore

/// Tells authors' User actors how far they have read by what they sent themselves (protocol 9.2). Confined to its loop.
///
/// Of each author and channel the newest message counts and is passed on once a second: a message costs an entry in a table
/// here, and nothing else. What waits when the node dies is lost; the next ack makes up for it.
final class SentMarks {
    /// At this many they are passed on at once.
    static let bound = 10_000

    private struct Key: Hashable {
        var author: UserID
        var channel: ChannelID
    }

    private unowned let loop: EngineLoop
    private var waiting: [Key: MessageID] = [:]

    init(loop: EngineLoop) { self.loop = loop }

    func note(_ mark: SentMark, by author: UserID) {
        waiting[Key(author: author, channel: mark.channelID)] = mark.messageID
        if waiting.count >= Self.bound { flush() }
    }

    func flush() {
        guard !waiting.isEmpty else { return }
        for (key, messageID) in waiting {
            loop.services.system.invoke(
                UserCalls.sent, on: .user(key.author), SentMark(channelID: key.channel, messageID: messageID),
                replyOn: loop.index
            ) { _ in }
        }
        waiting.removeAll(keepingCapacity: true)
    }
}
