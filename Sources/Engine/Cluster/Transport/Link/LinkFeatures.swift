/// What a build can do beyond what its wire version asks of it: two nodes use of it what both have.
///
/// A feature may come without a new version when the link works with or without it, such as a way to make frames
/// smaller. Each node says in its handshake which ones it has; what a link uses is the intersection
/// (`Transport.features`), so that a node that lacks one is never sent anything of it.
///
/// To add one: a constant with the next bit that was never used, its name in `own`, a line in `docs/wire.md`, and
/// whoever makes use of it asks the link first:
///
/// ```swift
/// static let smallHeads = LinkFeatures(rawValue: 1 << 0)
/// static let own: LinkFeatures = [.smallHeads]
/// ```
///
/// A bit is never used again for something else.
public struct LinkFeatures: OptionSet, Hashable, Sendable {
    /// A bit per feature.
    public let rawValue: UInt64

    /// A set of these bits.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// What this build has: nothing yet.
    public static let own: LinkFeatures = []
}

extension LinkFeatures: WireCodable {
    /// The list of the numbers of its bits, in growing order.
    public func encode(to writer: inout WireWriter) {
        writer.list((UInt64(0)..<64).filter { rawValue >> $0 & 1 == 1 })
    }

    /// Reads a list of numbers; one that has no bit here is a newer node's and means nothing.
    public init(from reader: inout WireReader) throws(WireError) {
        var bits: UInt64 = 0
        for number in try reader.list(of: UInt64.self) where number < 64 { bits |= 1 << number }
        self.init(rawValue: bits)
    }
}
