import FluxCore

/// What a client is told that asks for a channel's events.
public struct ChannelEventPage: Sendable, Equatable {
    /// Oldest first.
    public var events: [ChannelEvent]
    /// Where the committed log stands.
    public var head: LogHead
    /// Entries after the one that the client holds have been purged: the page does not begin where it should.
    public var isTruncated: Bool
    /// Of what the client saw only numbers up to this one stand; nil where all of it does. `events` begin after it.
    public var rolledBackTo: SequenceNumber?

    package init(events: [ChannelEvent], head: LogHead, isTruncated: Bool, rolledBackTo: SequenceNumber?) {
        self.events = events
        self.head = head
        self.isTruncated = isTruncated
        self.rolledBackTo = rolledBackTo
    }
}
