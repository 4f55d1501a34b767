import FluxCore
import FluxFuzzing
import FluxStore
import Testing

@testable import FluxRealtime

/// Whatever becomes of reactions, in whichever order it becomes known, everybody is shown what stands in the end.
@Suite struct PendingReactionsTests {
    private func change(_ isAdded: Bool, by user: UInt64 = 2, _ emoji: String = "👍") -> ReactionChange {
        ReactionChange(
            channelID: Snowflake(1), messageID: Snowflake(7), userID: Snowflake(user),
            emoji: Emoji(id: nil, name: emoji), isAdded: isAdded)
    }

    @Test func whatComesToNothingIsTakenBack() {
        var reactions = PendingReactions()
        for isAdded in [true, false] {
            reactions.decided(change(isAdded), 2, from: !isAdded)
            #expect(reactions.settled(change(isAdded), 2, isDurable: false) == change(!isAdded))
            reactions.decided(change(isAdded), 3, from: !isAdded)
            #expect(reactions.settled(change(isAdded), 3, isDurable: true) == nil)
        }
        #expect(reactions.isEmpty)
    }

    @Test func anotherPersonsReactionIsAnother() {
        var reactions = PendingReactions()
        reactions.decided(change(true), 2, from: false)
        reactions.decided(change(true, by: 3), 3, from: false)
        reactions.decided(change(true, "🎉"), 4, from: false)
        #expect(reactions.settled(change(true, by: 3), 3, isDurable: true) == nil)
        #expect(reactions.settled(change(true, "🎉"), 4, isDurable: true) == nil)
        #expect(reactions.settled(change(true), 2, isDurable: false) == change(false))
        #expect(reactions.settled(change(true), 2, isDurable: false) == nil)
    }

    @Test func fatesInAnyOrderLeadToWhatStands() {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<5_000 {
            var reactions = PendingReactions()
            let wasGiven = Bool.random(using: &generator)
            let count = Int.random(in: 1...5, using: &generator)
            // Each is the opposite of what was shown before.
            let changes = (0..<count).map { change($0.isMultiple(of: 2) != wasGiven) }
            let fates = changes.map { _ in Bool.random(using: &generator) }
            for (index, change) in changes.enumerated() {
                reactions.decided(change, Int64(index + 2), from: !change.isAdded)
            }
            var shown = changes[count - 1].isAdded
            for index in changes.indices.shuffled(using: &generator) {
                if let standing = reactions.settled(changes[index], Int64(index + 2), isDurable: fates[index]) {
                    shown = standing.isAdded
                }
            }
            let standing = fates.lastIndex(of: true).map { changes[$0].isAdded } ?? wasGiven
            #expect(shown == standing)
            #expect(reactions.isEmpty)
        }
    }
}
