import FluxCore
import FluxFuzzing
import Testing

@testable import FluxStore

/// Reactions of a batch, folded into three statements, have the effect that they had one after the other.
struct ReactionTests {
    private enum Step {
        case change(ReactionChange)
        case clear(MessageID, Emoji?)
    }

    private struct Reaction: Hashable {
        var messageID: MessageID
        var userID: UserID
        var emoji: String
    }

    private let channelID = Fixture.id(500)
    private let emoji = [
        Emoji(id: nil, name: "🦊"), Emoji(id: Fixture.id(70), name: "fox", animated: true), Emoji(id: nil, name: "👍"),
    ]

    private func randomStep(using generator: inout SeededGenerator) -> Step {
        let messageID = Fixture.id(UInt64.random(in: 10...12, using: &generator))
        let emoji = emoji[Int.random(in: 0..<3, using: &generator)]
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: return .clear(messageID, nil)
        case 1: return .clear(messageID, emoji)
        default:
            return .change(
                ReactionChange(
                    channelID: channelID, messageID: messageID,
                    userID: Fixture.id(UInt64.random(in: 1...4, using: &generator)), emoji: emoji,
                    isAdded: .random(using: &generator)))
        }
    }

    @Test func aFoldedBatchIsTheSameAsItsSteps() async throws {
        try await withDatabase { database in
            try await Provision(database).insert(users: (1...4).map { Fixture.person($0) })
            var generator = SeededGenerator(seed: 7)
            var model: [Reaction: SequenceNumber] = [:]
            var seq: SequenceNumber = 0
            let reactions = MessageReactions(database)
            for _ in 0..<40 {
                var fold = ReactionFold()
                for _ in 0..<Int.random(in: 1...12, using: &generator) {
                    seq += 1
                    switch randomStep(using: &generator) {
                    case .change(let change):
                        let key = Reaction(
                            messageID: change.messageID, userID: change.userID, emoji: change.emoji.key)
                        // As in the channel: what changes nothing is no event and reaches no lane.
                        guard change.isAdded != (model[key] != nil) else { continue }
                        model[key] = change.isAdded ? seq : nil
                        fold.apply(change, seq: seq)
                    case .clear(let messageID, let emoji):
                        model = model.filter {
                            $0.key.messageID != messageID || (emoji.map { $0.key } ?? $0.key.emoji) != $0.key.emoji
                        }
                        fold.clear(channelID: channelID, messageID: messageID, emoji: emoji)
                    }
                }
                try await database.apply(
                    LaneStatements.clearReactions(fold.clears), LaneStatements.removeReactions(fold.removals),
                    LaneStatements.addReactions(fold.additions))
                try await check(reactions, against: model)
            }
        }
    }

    private func check(_ reactions: MessageReactions, against model: [Reaction: SequenceNumber]) async throws {
        let ids = (10...12).map { Fixture.id($0) }
        let viewer = Fixture.id(2)
        let counts = try await reactions.counts(of: ids, in: channelID, viewer: viewer)
        for id in ids {
            let ofMessage = model.filter { $0.key.messageID == id }
            let byEmoji = Dictionary(grouping: ofMessage) { $0.key.emoji }
            let order = byEmoji.keys.sorted { left, right in
                (byEmoji[left]?.map(\.value).min() ?? 0) < (byEmoji[right]?.map(\.value).min() ?? 0)
            }
            let expected = order.map { key in
                ReactionCount(
                    emoji: emoji.first { $0.key == key } ?? emoji[0], count: byEmoji[key]?.count ?? 0,
                    me: ofMessage[Reaction(messageID: id, userID: viewer, emoji: key)] != nil)
            }
            #expect(counts[id, default: []] == expected)
            let all = try await reactions.all(of: id, in: channelID)
            #expect(all.map(\.emoji.key) == order)
            for set in all {
                let people = byEmoji[set.emoji.key]?.map(\.key.userID).sorted() ?? []
                #expect(set.userIDs == people)
                let first = try await reactions.users(of: id, in: channelID, emoji: set.emoji.key, limit: 2)
                let rest = try await reactions.users(
                    of: id, in: channelID, emoji: set.emoji.key, after: first.last?.id ?? Snowflake(0), limit: 2)
                #expect((first + rest).map(\.id) == people)
            }
        }
    }
}
