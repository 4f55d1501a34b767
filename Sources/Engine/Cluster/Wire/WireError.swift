/// Why bytes could not be read as a value of the cluster's wire encoding.
///
/// Decoders are total: whatever a peer sends ends in a value or in one of these, never in a trap, an endless loop or an
/// allocation that is out of proportion to the input.
public enum WireError: Error, Equatable, Sendable {
    /// The input ended inside a value.
    case truncated
    /// The bytes break the encoding's rules; the text names the rule.
    case malformed(String)
    /// A length, a count or a nesting is beyond `WireLimits`; the text names which.
    case limitExceeded(String)
    /// A discriminator that this version does not know, for example an enum case of a newer node.
    case unknownCase(UInt64)
}
