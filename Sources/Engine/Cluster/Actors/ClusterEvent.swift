/// A sort of event that nodes send one another: something that nobody answers.
///
/// Declared once, as a constant, by its number alone or with the version that brought it:
///
/// ```swift
/// static let heads: ClusterEvent = 2
/// static let census = ClusterEvent(number: 20, since: WireVersion(rawValue: 2))
/// ```
public struct ClusterEvent: Hashable, Sendable, ExpressibleByIntegerLiteral {
    /// Names it between nodes. Never changes its meaning, unique in the cluster.
    public let number: UInt16
    /// The version since which it exists. It is not sent to nodes that speak an older one.
    public let since: WireVersion

    /// An event with the given number.
    public init(number: UInt16, since: WireVersion = .oldest) {
        self.number = number
        self.since = since
    }

    /// An event that has always been there.
    public init(integerLiteral number: UInt16) {
        self.init(number: number)
    }
}
