import FluxCore
import Testing

@testable import FluxRealtime

/// The nonces of ten minutes: found while they count, forgotten after, never more than the bound.
struct NonceTableTests {
    private static let begin: Int64 = 1_770_000_000_000

    private func id(at milliseconds: Int64, _ number: UInt64 = 0) -> MessageID {
        Snowflake(Snowflake.lowest(atMilliseconds: Self.begin + milliseconds).rawValue + number)
    }

    private func key(_ nonce: String, author: UInt64 = 1) -> NonceTable.Key {
        NonceTable.Key(authorID: Snowflake(author), nonce: nonce)
    }

    @Test func aNonceCountsForTenMinutesAndForItsAuthor() {
        var table = NonceTable()
        let message = id(at: 30_000)
        table.record(key("a"), messageID: message)
        let sent = Self.begin + 30_000
        #expect(table.message(of: key("a"), at: sent) == message)
        #expect(table.message(of: key("a"), at: sent + 599_999) == message)
        #expect(table.message(of: key("a"), at: sent + 600_000) == nil)
        #expect(table.message(of: key("a", author: 2), at: sent) == nil)
        #expect(table.message(of: key("b"), at: sent) == nil)
    }

    @Test func aKeyIsNoNonceAndBothCountForTenMinutes() {
        var table = NonceTable()
        let (first, second) = (id(at: 0, 1), id(at: 0, 2))
        let edge = NonceTable.Key(authorID: Snowflake(1), idempotencyKey: 77)
        table.record(key("77"), messageID: first)
        #expect(table.message(of: edge, at: Self.begin) == nil)
        table.record(edge, messageID: second)
        #expect(table.message(of: edge, at: Self.begin) == second)
        #expect(table.message(of: key("77"), at: Self.begin) == first)
        #expect(table.message(of: key(""), at: Self.begin) == nil)
        let other = NonceTable.Key(authorID: Snowflake(2), idempotencyKey: 77)
        #expect(table.message(of: other, at: Self.begin) == nil)
        #expect(table.message(of: edge, at: Self.begin + 600_000) == nil)
        #expect(edge.idempotencyKey == 77 && key("77").idempotencyKey == nil)
    }

    @Test func theNewestMessageOfANonceCountsAndWhatWasTakenBackIsForgotten() {
        var table = NonceTable()
        let (first, second) = (id(at: 0), id(at: 200_000))
        table.record(key("a"), messageID: first)
        table.record(key("a"), messageID: second)
        let now = Self.begin + 200_000
        #expect(table.message(of: key("a"), at: now) == second)
        // Another message's end does not touch it.
        table.forget(key("a"), messageID: id(at: 1))
        #expect(table.message(of: key("a"), at: now) == second)
        table.forget(key("a"), messageID: second)
        #expect(table.message(of: key("a"), at: now) == first)
    }

    @Test func whatNoLongerCountsIsForgotten() {
        var table = NonceTable()
        for second in 0..<3600 {
            // As a channel does before each message with a nonce.
            let wait = table.timeUntilRoom(at: Self.begin + Int64(second) * 1000)
            #expect(wait == nil)
            table.record(key("\(second)"), messageID: id(at: Int64(second) * 1000))
        }
        // Ten minutes, and the generation that is not over yet.
        #expect(table.count >= 600 && table.count <= 660)
        for second in 0..<3600 {
            let found = table.message(of: key("\(second)"), at: Self.begin + 3_599_000)
            #expect((found != nil) == (second > 2999), "\(second)")
        }
    }

    /// A node that has started four times within a minute mints ids twenty minutes ahead of the clock.
    @Test func aNonceOfAMomentAgoIsKnownHoweverFarTheIDsOfTheNextOwnerRunAhead() {
        var table = NonceTable()
        let message = id(at: 0)
        table.record(key("a"), messageID: message)
        table.record(key("b"), messageID: id(at: 1_200_000))
        let wait = table.timeUntilRoom(at: Self.begin + 2_000)
        #expect(wait == nil)
        #expect(table.message(of: key("a"), at: Self.begin + 2_000) == message)
    }

    @Test func atTheBoundThereIsAnEndToTheWait() throws {
        var table = NonceTable(maximumCount: 100)
        for number in 0..<100 {
            let wait = table.timeUntilRoom(at: Self.begin + 1000)
            #expect(wait == nil)
            table.record(key("\(number)"), messageID: id(at: 1000, UInt64(number)))
        }
        let asked = table.timeUntilRoom(at: Self.begin + 1000)
        let wait = try #require(asked)
        #expect(wait > 0 && wait <= 660_000)
        // Nothing is recorded meanwhile, and still there is room in the end.
        let last = table.timeUntilRoom(at: Self.begin + 1000 + wait - 1)
        #expect(last == 1)
        let none = table.timeUntilRoom(at: Self.begin + 1000 + wait)
        #expect(none == nil && table.count == 0)
    }

    /// A channel at 1,000 messages a second: all of ten minutes are known.
    @Test func tenMinutesOfABusyChannel() {
        var table = NonceTable()
        for number in 0..<600_000 {
            table.record(key("nonce-\(number)"), messageID: id(at: Int64(number), 1))
        }
        #expect(table.count == 600_000)
        let wait = table.timeUntilRoom(at: Self.begin + 599_999)
        #expect(wait == nil)
        for number in stride(from: 0, to: 600_000, by: 997) {
            #expect(table.message(of: key("nonce-\(number)"), at: Self.begin + 599_999) == id(at: Int64(number), 1))
        }
    }
}
