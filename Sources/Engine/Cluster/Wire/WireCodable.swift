/// A value that crosses from node to node in the cluster's binary encoding.
///
/// Rules for conforming types:
/// - `encode` writes fields in a fixed order; `init(from:)` reads the same ones and trusts nothing.
/// - Each value takes at least one byte when it stands in a list (a list of empty values is refused by the reader).
/// - A type that may get more fields later writes itself with `WireWriter.record` and reads itself with
///   `WireReader.record`: an older node skips what it does not know, a newer one sees `isAtEnd` where a field is missing.
///   The arguments and the reply of a call are such a record already.
/// - Enums write a number that never changes its meaning and throw `WireError.unknownCase` for the others.
public protocol WireCodable: Sendable {
    /// Appends the value.
    func encode(to writer: inout WireWriter)
    /// Reads one value; total over all inputs.
    init(from reader: inout WireReader) throws(WireError)
}

extension WireCodable {
    /// The value's bytes for a peer that speaks the given version, as a build of the given dialect writes them.
    public func encoded(version: WireVersion = .oldest, dialect: WireDialect = .own) -> [UInt8] {
        var writer = WireWriter(version: version, dialect: dialect)
        encode(to: &writer)
        return writer.bytes
    }

    /// Reads the value from the beginning of the bytes; what follows it is ignored, as a newer node may have written
    /// more than this one knows.
    public init(
        decoding bytes: [UInt8], version: WireVersion = .oldest, limits: WireLimits = WireLimits()
    ) throws(WireError) {
        var reader = WireReader(bytes, version: version, limits: limits)
        self = try reader.value()
    }
}
