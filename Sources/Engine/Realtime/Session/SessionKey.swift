import FluxCore

/// Names a session: its node, and a number drawn at random there. Written as 16 hexadecimal digits; the `session_id` of READY.
public struct SessionKey: Hashable, Sendable, CustomStringConvertible {
    /// Bits 54 to 63: the node that accepted the session. The rest is random.
    public let rawValue: UInt64

    static let randomBits = 54

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// - Parameter random: only the low 54 bits count.
    public init(nodeID: UInt16, random: UInt64) {
        rawValue = UInt64(nodeID) << UInt64(Self.randomBits) | (random & (1 << UInt64(Self.randomBits) - 1))
    }

    public init?(_ description: String) {
        guard description.utf8.count == 16, let value = UInt64(description, radix: 16) else { return nil }
        rawValue = value
    }

    public var nodeID: UInt16 { UInt16(rawValue >> UInt64(Self.randomBits)) }

    public var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
