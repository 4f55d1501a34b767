import FluxCore

/// The owner's end of a stream: numbers what the actor emits. Lives in the actor and shares its loop.
struct StreamPublisher {
    let key: StreamKey
    /// The last event given out.
    private(set) var position: StreamPosition

    /// - Parameters:
    ///   - epoch: of the slot's lease; a new owner begins a new epoch at 1.
    ///   - earlier: where listeners of the same stream stand already; the numbers go on from there within one epoch.
    init(key: StreamKey, epoch: Epoch, continuing earlier: StreamPosition?) {
        self.key = key
        position = StreamPosition(epoch: epoch, number: 0)
        if let earlier, earlier.epoch == epoch { position = earlier }
    }

    /// Makes the next event of the stream.
    mutating func next(
        _ kind: EventKind, body: [UInt8], audience: Audience, intents: Intents = [], subject: UserID? = nil,
        control: StreamControl? = nil
    ) -> StreamEvent {
        position.number += 1
        return StreamEvent(
            position: position, kind: kind, body: body, audience: audience, intents: intents, subject: subject,
            control: control)
    }
}
