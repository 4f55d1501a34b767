/// Mints the ids of one node, without a clock of its own (design 5, "Ids").
///
/// Guarantees: every id is greater than each earlier one of this minter, also when the clock goes backwards; greater than
/// the id it is asked to exceed; unique among nodes with different node numbers; and minted below the high-water that
/// the node has reserved, so that a restart, which begins at that high-water, cannot repeat one.
public struct SnowflakeMinter: Sendable {
    /// How many node numbers there are (10 bits).
    public static let nodeCount: UInt16 = 1024

    /// The number of this node, 0 to 1023.
    public let node: UInt16

    /// Milliseconds since 1970 UTC; every id minted carries an earlier time. The reserved bound, raised by the node as it
    /// writes reservations.
    public var highWaterMilliseconds: Int64

    /// The time of the last id, in milliseconds since the ids' epoch.
    private var lastMilliseconds: Int64
    /// The counter of the last id; 4095 makes the next id move on to the next millisecond.
    private var lastCounter: Int64

    /// A minter that gives no id earlier than `floorMilliseconds` and none at or after `highWaterMilliseconds` (both since
    /// 1970 UTC). The floor is the high-water that the node's former incarnation had reserved.
    public init(node: UInt16, floorMilliseconds: Int64 = 0, highWaterMilliseconds: Int64) {
        precondition(node < Self.nodeCount, "a node number has 10 bits")
        self.node = node
        self.highWaterMilliseconds = highWaterMilliseconds
        lastMilliseconds = max(0, floorMilliseconds - Snowflake.discordEpochMilliseconds) - 1
        lastCounter = 4095
    }

    /// Whether ids greater than `floor` can be minted for as long as it takes to reserve more. A channel's last id may be of a node
    /// that has started often, and so be further ahead than this node has reserved: then it has to reserve first.
    public func hasRoom(above floor: Snowflake) -> Bool {
        floor.timestampMilliseconds + Self.roomMilliseconds < highWaterMilliseconds
    }

    private static let roomMilliseconds: Int64 = 30_000

    /// The next id at the given time (milliseconds since 1970 UTC), greater than `above`; nil when it would reach the
    /// high-water, and then nothing has changed.
    public mutating func mint(atMilliseconds now: Int64, above: Snowflake? = nil) -> Snowflake? {
        var milliseconds = max(now - Snowflake.discordEpochMilliseconds, lastMilliseconds)
        var counter = milliseconds == lastMilliseconds ? lastCounter + 1 : 0
        if let above {
            let aboveMilliseconds = Int64(above.rawValue >> 22)
            if aboveMilliseconds > milliseconds {
                milliseconds = aboveMilliseconds
                counter = 0
            }
            if aboveMilliseconds == milliseconds {
                let aboveNode = UInt16((above.rawValue >> 12) & 0x3FF)
                if aboveNode > node {
                    milliseconds += 1
                    counter = 0
                } else if aboveNode == node {
                    counter = max(counter, Int64(above.rawValue & 0xFFF) + 1)
                }
            }
        }
        if counter > 4095 {
            milliseconds += 1
            counter = 0
        }
        guard milliseconds < 1 << 41, milliseconds + Snowflake.discordEpochMilliseconds < highWaterMilliseconds else {
            return nil
        }
        lastMilliseconds = milliseconds
        lastCounter = counter
        return Snowflake(UInt64(milliseconds) << 22 | UInt64(node) << 12 | UInt64(counter))
    }
}
