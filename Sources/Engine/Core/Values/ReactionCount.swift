/// How often one emoji was put on a message (protocol 6.5).
public struct ReactionCount: Sendable, Equatable {
    public var emoji: Emoji
    public var count: Int
    /// Whether the one who reads this is among them.
    public var me: Bool

    public init(emoji: Emoji, count: Int, me: Bool) {
        self.emoji = emoji
        self.count = count
        self.me = me
    }

    /// Writes the reaction object.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("emoji")
        emoji.write(to: &writer)
        writer.field("count", count)
        writer.key("count_details")
        writer.beginObject()
        writer.field("normal", count)
        writer.field("burst", 0)
        writer.endObject()
        writer.field("me", me)
        writer.field("me_burst", false)
        writer.emptyListField("burst_colors")
        writer.endObject()
    }
}
