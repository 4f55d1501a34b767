import FluxCore

/// One event of a stream: encoded once where it was decided, shared as bytes by every session that gets it (design 7).
///
/// Immutable, so that loops, replay rings and peers hold references to the same bytes.
public final class StreamEvent: Sendable {
    /// Where the event stands in its stream; `StreamPosition.none` for what belongs to one session alone.
    public let position: StreamPosition
    /// The gateway event's kind, whose name is the `t` of a dispatch.
    public let kind: EventKind
    /// The JSON of the dispatch's `d`.
    public let body: [UInt8]
    /// Who among the stream's subscribers gets it.
    public let audience: Audience
    /// A bot needs one of these intents to get it; empty if it needs none.
    public let intents: Intents
    /// The user whom the event is about and who gets it whatever they asked for; nil if there is none such.
    public let subject: UserID?
    /// What the subscribing sessions themselves have to do with it; nil for a plain event.
    public let control: StreamControl?
    /// What of it is durable; nil for what is told once and not kept.
    public let mark: StreamMark?

    public init(
        position: StreamPosition = .none, kind: EventKind, body: [UInt8], audience: Audience = .everyone,
        intents: Intents = [], subject: UserID? = nil, control: StreamControl? = nil, mark: StreamMark? = nil
    ) {
        self.position = position
        self.kind = kind
        self.body = body
        self.audience = audience
        self.intents = intents
        self.subject = subject
        self.control = control
        self.mark = mark
        HeldEvents.added(cost)
    }

    deinit { HeldEvents.removed(cost) }

    /// Bytes that holding on to the event costs, for the bounds of rings and buffers.
    public var cost: Int { body.count + 96 }
}

extension StreamEvent: Equatable {
    /// Whether the two say the same, at the same place of the same stream.
    public static func == (one: StreamEvent, other: StreamEvent) -> Bool {
        one === other
            || one.position == other.position && one.kind == other.kind && one.body == other.body
                && one.audience == other.audience && one.intents == other.intents && one.subject == other.subject
                && one.control == other.control && one.mark == other.mark
    }
}
