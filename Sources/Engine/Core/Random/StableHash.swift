/// A hash that is the same in every process, on every node and in every build: FNV-1a of 64 bits (Fowler, Noll, Vo), with the
/// finaliser of SplitMix64 so that sums of such hashes differ where their items do. Not for secrets, nor against anybody who
/// chooses what is hashed.
public struct StableHash: Sendable {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Of nothing yet.
    public init() {}

    /// Adds bytes, in their order. Where lengths may differ, something has to separate what follows.
    public mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }

    /// Adds a number, all eight bytes of it.
    public mutating func add(_ number: UInt64) {
        var rest = number
        for _ in 0..<8 {
            state = (state ^ (rest & 0xFF)) &* 0x0000_0100_0000_01B3
            rest >>= 8
        }
    }

    /// The hash of what was added.
    public var value: UInt64 {
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
