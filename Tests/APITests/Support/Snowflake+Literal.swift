import FluxCore

/// Lets tests write ids as numbers.
extension Snowflake: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt64) { self.init(value) }
}
