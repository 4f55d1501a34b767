import FluxCore
import Testing

@testable import FluxRealtime

/// Limits that are counted in bounded memory, at a bounded cost.
@Suite struct BoundedTableTests {
    private static let rule = RateWindow.Rule(tokens: 1, seconds: 5)
    private static let sixHours = 6 * 3_600

    /// How many entries were looked at while so many keys were put in, none of which ends.
    private func looks(
        keys: Int, into table: inout BoundedTable<Int, UInt64>, from first: Int = 0, at now: UInt64
    ) -> Int {
        var count = 0
        for key in first..<(first + keys) {
            let hasRoom = table.hasRoom(for: key, at: now) {
                count += 1
                return now >= $0
            }
            if hasRoom { table.entries[key] = .max }
        }
        return count
    }

    @Test func entriesThatLastAreNotLookedAtWithEachNewOne() {
        var table = BoundedTable<Int, UInt64>(sweepAt: 64, capacity: 4_096)
        // 64 + 128 + … + 2,048.
        let filling = looks(keys: 4_096, into: &table, at: 1)
        #expect(filling < 4_096)
        #expect(table.entries.count == 4_096)
        // Full: once a pause, however many come.
        let once = looks(keys: 1_000, into: &table, from: 10_000, at: 2)
        let meanwhile = looks(keys: 1_000, into: &table, from: 20_000, at: 3)
        let again = looks(keys: 1_000, into: &table, from: 30_000, at: 2 + BoundedTable<Int, UInt64>.pause)
        #expect(once == 4_096 && meanwhile == 0 && again == 4_096)
        #expect(table.entries.count == 4_096)
    }

    @Test func whatIsOverMakesRoom() {
        var table = BoundedTable<Int, UInt64>(sweepAt: 4, capacity: 8)
        for key in 0..<8 {
            let hasRoom = table.hasRoom(for: key, at: 1) { 1 >= $0 }
            #expect(hasRoom)
            table.entries[key] = 10
        }
        let hasRoomEarly = table.hasRoom(for: 8, at: 2) { 2 >= $0 }
        #expect(!hasRoomEarly)
        let hasRoomForOld = table.hasRoom(for: 7, at: 2) { 2 >= $0 }
        #expect(hasRoomForOld)
        let now = 2 + BoundedTable<Int, UInt64>.pause
        let hasRoomLate = table.hasRoom(for: 8, at: now) { now >= $0 }
        #expect(hasRoomLate)
        #expect(table.entries.isEmpty)
    }

    private func isHeldUp(_ user: UserID, by slowmode: inout SlowmodeClock, at now: UInt64) -> Bool {
        do { try slowmode.take(user, seconds: Self.sixHours, at: now) } catch { return true }
        return false
    }

    @Test func slowModeCountsUpToItsCapacityAndForgetsNobodyForIt() {
        var slowmode = SlowmodeClock()
        var heldUp = 0
        for user in 1...(SlowmodeClock.capacity + 100) {
            if isHeldUp(UserID(UInt64(user)), by: &slowmode, at: 1) { heldUp += 1 }
        }
        #expect(heldUp == 0)
        let first = isHeldUp(UserID(1), by: &slowmode, at: 2)
        #expect(first)
        // Beyond it nobody is held up.
        let late = UserID(UInt64(SlowmodeClock.capacity + 50))
        let uncounted = isHeldUp(late, by: &slowmode, at: 2)
        #expect(!uncounted)
        // All have waited: there is room for the next ones.
        let later = UInt64(Self.sixHours) * 1_000 + 2
        let next = isHeldUp(late, by: &slowmode, at: later)
        let repeated = isHeldUp(late, by: &slowmode, at: later + 1)
        #expect(!next && repeated)
    }

    @Test func aChannelCountsUpToItsCapacityAndForgetsNobodyForIt() {
        var limits = ChannelRateLimits([.messageCreate: Self.rule])
        var refused = 0
        for user in 1...(ChannelRateLimits.capacity + 100) {
            let decision = limits.take(.messageCreate, by: UserID(UInt64(user)), at: 1)
            if decision?.isAllowed != true { refused += 1 }
        }
        #expect(refused == 0)
        let first = limits.take(.messageCreate, by: UserID(1), at: 2)
        #expect(first?.isAllowed == false)
        let late = limits.take(.messageCreate, by: UserID(UInt64(ChannelRateLimits.capacity + 50)), at: 2)
        #expect(late?.isAllowed == true)
        let unlimited = limits.take(.typing, by: UserID(1), at: 2)
        #expect(unlimited == nil)
    }
}
