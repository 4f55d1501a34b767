/// How one build writes: the versions that it speaks, and what it adds to what it writes.
///
/// A value that the transport of a node is made with, so that nodes of several builds can run in one process and in one
/// cluster. This build has one, `own`; the others stand for builds to come (I10): they speak later versions and, as a later
/// build may, put fields at the end of records that no present one knows.
public struct WireDialect: Hashable, Sendable {
    /// What is spoken.
    public var versions: WireVersionRange
    /// Whether each record, call, reply and event ends with bytes that nobody knows.
    public var addsUnknownFields: Bool

    /// What this build speaks.
    public static let own = WireDialect(versions: .own)
    /// A build that comes after this one: the next version, and the one that this build speaks.
    public static let next = ahead(1)
    /// The build after that, which has no version in common with this one.
    public static let nextButOne = ahead(2)

    /// A dialect of those versions that writes what is known.
    public init(versions: WireVersionRange, addsUnknownFields: Bool = false) {
        self.versions = versions
        self.addsUnknownFields = addsUnknownFields
    }

    /// The build that speaks a version so many after this one's, and the one before.
    private static func ahead(_ distance: UInt8) -> WireDialect {
        let newest = WireVersion.current.rawValue + distance
        return WireDialect(
            versions: WireVersionRange(
                oldest: WireVersion(rawValue: newest - 1), current: WireVersion(rawValue: newest)),
            addsUnknownFields: true)
    }

    /// What a later build adds: neither text nor a number nor a list can be read from it by who takes it for its own.
    static let unknownFields: [UInt8] = [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
}
