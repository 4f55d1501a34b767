import FluxCore
import Metrics
import Synchronization

/// Counts of the engine for its metrics. Each is a total since the start unless it says otherwise.
public final class EngineMeasurements: Sendable {
    private let messages = Atomic<UInt64>(0)
    private let events = Atomic<UInt64>(0)
    private let encodes = Atomic<UInt64>(0)
    private let liveToFinal = Timer(label: "flux_live_to_final_seconds")

    /// Messages that were accepted.
    public var messagesIn: UInt64 { messages.load(ordering: .relaxed) }
    /// Events that were published into streams.
    public var eventsPublished: UInt64 { events.load(ordering: .relaxed) }
    /// Bodies of message events that were encoded; one per message, however many receive it.
    public var bodiesEncoded: UInt64 { encodes.load(ordering: .relaxed) }

    /// A message was committed; its id carries the time of its broadcast. `now`: milliseconds since 1970.
    func becameFinal(_ id: Snowflake, at now: Int64) {
        liveToFinal.recordMilliseconds(max(0, now - id.timestampMilliseconds))
    }

    func messageAccepted() { messages.wrappingAdd(1, ordering: .relaxed) }
    func published() { events.wrappingAdd(1, ordering: .relaxed) }
    func bodyEncoded() { encodes.wrappingAdd(1, ordering: .relaxed) }
}
