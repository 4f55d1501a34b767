import FluxCore

/// Names one keyed actor in the whole cluster: what it is, which one, and the slot that decides where it lives.
///
/// The slot is part of the address because it does not follow from the key alone: a guild's channel lives in its guild's
/// slot. An actor runs on the event loop of its slot, so all actors of one slot share a loop.
public struct ActorAddress: Hashable, Sendable, WireCodable, CustomStringConvertible {
    /// What it is.
    public let kind: ActorKind
    /// Which one of its kind.
    public let key: UInt64
    /// Where it belongs.
    public let slot: Slot

    /// An address from its parts.
    public init(kind: ActorKind, key: UInt64, slot: Slot) {
        self.kind = kind
        self.key = key
        self.slot = slot
    }

    /// The address of an actor that lives in the slot of its own key.
    public init(kind: ActorKind, key: Snowflake) {
        self.init(kind: kind, key: key.rawValue, slot: Slot(of: key))
    }

    /// Kind, key and slot, for logs.
    public var description: String { "\(kind.rawValue):\(key)@\(slot.rawValue)" }

    /// Mixes only kind and key: equal addresses have equal slots.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(key)
        hasher.combine(kind.rawValue)
    }

    /// Kind, key and slot.
    public func encode(to writer: inout WireWriter) {
        writer.value(kind)
        writer.unsigned(key)
        writer.value(slot)
    }

    /// Reads kind, key and slot.
    public init(from reader: inout WireReader) throws(WireError) {
        self.init(kind: try reader.value(), key: try reader.unsigned(), slot: try reader.value())
    }
}
