import FluxCore

/// The owner's end of a stream: numbers what the actor emits. Lives in the actor and shares its loop.
package struct StreamPublisher {
    package let key: StreamKey
    /// The last event given out.
    package private(set) var position: StreamPosition

    /// - Parameters:
    ///   - epoch: of the slot's lease.
    ///   - milliseconds: of a clock that never goes back: an activation's numbers begin above all that an earlier one of
    ///     the same epoch can have given out, so that nobody takes the events of one for those of the other.
    package init(key: StreamKey, epoch: Epoch, at milliseconds: UInt64) {
        self.key = key
        position = StreamPosition(epoch: epoch, number: milliseconds << Self.eventBits)
    }

    /// 2^20 events a millisecond are more than any loop can make.
    private static let eventBits: UInt64 = 20

    /// Makes the next event of the stream.
    package mutating func next(
        _ kind: EventKind, body: [UInt8], audience: Audience, intents: Intents = [], subject: UserID? = nil,
        control: StreamControl? = nil, mark: StreamMark? = nil
    ) -> StreamEvent {
        position.number += 1
        return StreamEvent(
            position: position, kind: kind, body: body, audience: audience, intents: intents, subject: subject,
            control: control, mark: mark)
    }
}
