/// The version of the encoding that two nodes agreed on at their handshake.
///
/// Nodes of version N and N + 1 work in one cluster: the newer one writes what the older one can read. Writers and
/// readers carry the version, so that a type can ask for it where its form changed.
public struct WireVersion: RawRepresentable, Hashable, Comparable, Sendable {
    /// The version number as it stands in the handshake and in every frame.
    public let rawValue: UInt8

    /// The version with the given number.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// What this build speaks. Who writes to a peer asks what was agreed on with it (`WireDialect`, `Transport.version`).
    public static let current = WireVersion(rawValue: 1)
    /// The oldest version that this build still reads and writes.
    public static let oldest = WireVersion(rawValue: 1)

    /// Orders by age.
    public static func < (left: WireVersion, right: WireVersion) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// The versions that one build speaks, from the oldest to its own.
public struct WireVersionRange: Hashable, Sendable, CustomStringConvertible {
    /// The oldest one.
    public let oldest: WireVersion
    /// The newest one.
    public let current: WireVersion

    /// What this build speaks.
    public static let own = WireVersionRange(oldest: .oldest, current: .current)

    /// A range; the two are put in order.
    public init(oldest: WireVersion, current: WireVersion) {
        self.oldest = min(oldest, current)
        self.current = max(oldest, current)
    }

    /// The newest version that both speak; nil when there is none.
    public func agreed(with other: WireVersionRange) -> WireVersion? {
        let newest = min(current, other.current)
        return newest >= max(oldest, other.oldest) ? newest : nil
    }

    /// Whether the version is one of them.
    public func contains(_ version: WireVersion) -> Bool {
        version >= oldest && version <= current
    }

    /// "version 3" or "versions 2 to 3".
    public var description: String {
        oldest == current ? "version \(current.rawValue)" : "versions \(oldest.rawValue) to \(current.rawValue)"
    }
}
