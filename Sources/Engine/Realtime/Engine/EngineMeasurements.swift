import FluxCore
import Synchronization

/// Counts of the engine for its metrics. Each is a total since the start unless it says otherwise.
public final class EngineMeasurements: Sendable {
    private let messages = Atomic<UInt64>(0)
    private let events = Atomic<UInt64>(0)
    private let encodes = Atomic<UInt64>(0)
    private let liveToFinalCount = Atomic<UInt64>(0)
    private let liveToFinalMilliseconds = Atomic<UInt64>(0)

    /// Messages that were accepted.
    public var messagesIn: UInt64 { messages.load(ordering: .relaxed) }
    /// Events that were published into streams.
    public var eventsPublished: UInt64 { events.load(ordering: .relaxed) }
    /// Bodies of message events that were encoded; one per message, however many receive it.
    public var bodiesEncoded: UInt64 { encodes.load(ordering: .relaxed) }

    /// How many messages became final, and the sum of the milliseconds from live to final.
    public var finals: (count: UInt64, milliseconds: UInt64) {
        (liveToFinalCount.load(ordering: .relaxed), liveToFinalMilliseconds.load(ordering: .relaxed))
    }

    func becameFinal(_ id: Snowflake, at now: Int64) {
        liveToFinalCount.wrappingAdd(1, ordering: .relaxed)
        liveToFinalMilliseconds.wrappingAdd(UInt64(max(0, now - id.timestampMilliseconds)), ordering: .relaxed)
    }

    func messageAccepted() { messages.wrappingAdd(1, ordering: .relaxed) }
    func published() { events.wrappingAdd(1, ordering: .relaxed) }
    func bodyEncoded() { encodes.wrappingAdd(1, ordering: .relaxed) }
}
