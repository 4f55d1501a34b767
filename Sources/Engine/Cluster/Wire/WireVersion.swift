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

    /// What this build speaks.
    public static let current = WireVersion(rawValue: 1)
    /// The oldest version that this build still reads and writes.
    public static let oldest = WireVersion(rawValue: 1)

    /// Orders by age.
    public static func < (left: WireVersion, right: WireVersion) -> Bool {
        left.rawValue < right.rawValue
    }
}
