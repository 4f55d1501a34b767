import FluxCore

/// The owner's end of a stream: numbers what the actor emits. Lives in the actor and shares its loop.
struct StreamPublisher {
    let key: StreamKey
    /// The last event given out.
    private(set) var position: StreamPosition

    /// - Parameter epoch: of the slot's lease; a new owner begins a new epoch at 1.
    init(key: StreamKey, epoch: Epoch) {
        self.key = key
        position = StreamPosition(epoch: epoch, number: 0)
    }

    /// Makes the next event of the stream.
    mutating func next(
        _ kind: EventKind, body: [UInt8], audience: Audience, control: StreamControl? = nil
    ) -> StreamEvent {
        position.number += 1
        return StreamEvent(position: position, kind: kind, body: body, audience: audience, control: control)
    }
}
