import FluxCore

/// What one of two people has said about the other: the half of a relationship that is theirs alone to change.
public struct RelationshipHalf: Sendable, Hashable {
    /// Grows with each change of this half; 0 where nothing was ever said.
    public var version: Snowflake
    /// The version in which friendship was asked for or accepted; 0 where it is not wanted.
    public var want: Snowflake
    /// The other one's wishes up to this version are declined or over.
    public var dismissed: Snowflake
    /// Whether the other one is blocked.
    public var blocks: Bool

    public init(
        version: Snowflake = Snowflake(0), want: Snowflake = Snowflake(0), dismissed: Snowflake = Snowflake(0),
        blocks: Bool = false
    ) {
        self.version = version
        self.want = want
        self.dismissed = dismissed
        self.blocks = blocks
    }
}
