/// One of the 1024 hash buckets over which keyed actors are spread (design 2).
///
/// A guild and its channels live in the slot of the guild's id, a direct conversation in that of its channel's id, a user
/// in that of the user's id. The mapping is part of what is stored, so it must never change.
public struct Slot: Hashable, Comparable, Sendable {
    /// How many slots there are.
    public static let count = 1024

    /// The bucket's number, 0 to 1023.
    public let rawValue: UInt16

    /// The slot of a key. Neighbouring ids, which differ in their counter alone, land in unrelated slots.
    public init(of key: Snowflake) {
        // The finaliser of SplitMix64: every bit of the id reaches the ten that are kept.
        var mixed = key.rawValue
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        rawValue = UInt16(truncatingIfNeeded: mixed & UInt64(Self.count - 1))
    }

    /// The slot with this number, or nil from 1024 on.
    public init?(rawValue: UInt16) {
        guard rawValue < UInt16(Self.count) else { return nil }
        self.rawValue = rawValue
    }

    /// Every slot, in growing order.
    public static var all: [Slot] {
        (0..<UInt16(count)).compactMap(Slot.init(rawValue:))
    }

    public static func < (left: Slot, right: Slot) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension Slot: CustomStringConvertible {
    /// The bucket's number in decimal.
    public var description: String {
        String(rawValue)
    }
}
