import FluxCore

/// Something that the guild's stream carries next: an event with its body encoded once, or a control, or both.
package struct GuildEvent: Sendable {
    package var kind: EventKind
    /// The event's `d`; empty where only the control counts.
    package var body: [UInt8]
    package var audience: Audience
    /// Gets the event whatever they asked for (protocol 7.8); nil if there is nobody such.
    package var subject: UserID?
    package var control: StreamControl?

    init(
        _ kind: EventKind, body: [UInt8], audience: Audience = .everyone, subject: UserID? = nil,
        control: StreamControl? = nil
    ) {
        self.kind = kind
        self.body = body
        self.audience = audience
        self.subject = subject
        self.control = control
    }

    /// An event whose body `write` writes.
    init(
        _ kind: EventKind, audience: Audience = .everyone, subject: UserID? = nil, control: StreamControl? = nil,
        write: (inout JSONWriter) -> Void
    ) {
        var writer = JSONWriter()
        write(&writer)
        self.init(kind, body: writer.bytes, audience: audience, subject: subject, control: control)
    }

    /// Members see other channels from here on.
    static func access(_ changes: [AccessChange]) -> GuildEvent {
        GuildEvent(.channelUpdate, body: [], audience: .nobody, control: .access(changes))
    }
}
