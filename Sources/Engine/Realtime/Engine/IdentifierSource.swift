import FluxCore
import NIOConcurrencyHelpers

/// Mints the node's ids. One per node, so that no two actors of it give out the same one.
public final class IdentifierSource: Sendable {
    private let minter: NIOLockedValueBox<SnowflakeMinter>

    public init(_ minter: SnowflakeMinter) { self.minter = NIOLockedValueBox(minter) }

    /// A new id, greater than `floor` and than all minted before.
    /// - Throws: `APIError.notCommitted` at the reserved high-water, until the node has reserved more (design 5).
    public func next(above floor: Snowflake? = nil) throws(APIError) -> Snowflake {
        let now = Timestamp.now().milliseconds
        guard let id = minter.withLockedValue({ $0.mint(atMilliseconds: now, above: floor) }) else {
            throw .notCommitted
        }
        return id
    }

    /// Whether ids greater than `floor` can be minted without a further reservation.
    public func hasRoom(above floor: Snowflake) -> Bool { minter.withLockedValue { $0.hasRoom(above: floor) } }

    /// The node's row reserves ids up to here: milliseconds since 1970.
    public func raiseHighWater(to milliseconds: Int64) {
        minter.withLockedValue { $0.highWaterMilliseconds = max($0.highWaterMilliseconds, milliseconds) }
    }
}
