import FluxCore
import FluxFuzzing
import Testing

@testable import FluxStore

/// What an event tells anew is the same in the change, in the event's body, and in the void that takes its place.
@Suite struct EventSubjectTests {
    private static let channel = Fixture.id(500)
    private static let message = Fixture.id(10)
    private static let emoji = Emoji(id: Fixture.id(70), name: "fox", animated: true)
    private static let key = ReactionFold.Key(
        channelID: channel, messageID: message, userID: Fixture.id(2), emoji: emoji.key)
    private static func clear(_ emoji: Emoji?) -> ReactionFold.Clear {
        ReactionFold.Clear(channelID: channel, messageID: message, emoji: emoji?.key)
    }

    static let subjects: [EventSubject] = [
        .messages([]), .messages([message]), .messages([message, Fixture.id(11), Fixture.id(12)]),
        .reaction(key, animated: true),
        .reaction(
            ReactionFold.Key(channelID: channel, messageID: message, userID: Fixture.id(3), emoji: "👍"),
            animated: false),
        .clear(clear(nil)), .clear(clear(emoji)),
    ]

    @Test(arguments: subjects) func aVoidKeepsIt(subject: EventSubject) {
        let entry = LoggedEntry(voidIn: Self.channel, seq: 3, epoch: 1, about: subject)
        let kept = EventSubject(voidIn: Self.channel, messageID: entry.messageID, payload: entry.payload)
        #expect(kept == (subject == .messages([]) ? nil : subject))
    }

    @Test func theVoidOfAChangeIsAboutTheSame() throws {
        func logged(_ kind: EventKind) -> LogEntry {
            LogEntry(
                channelID: Self.channel, seq: 3, epoch: 1, kind: kind, messageID: Self.message,
                payload: Array("{}".utf8))
        }
        let change = ReactionChange(
            channelID: Self.channel, messageID: Self.message, userID: Self.key.userID, emoji: Self.emoji,
            isAdded: true)
        let expected: [(Change, EventSubject)] = [
            (.reaction(change, logged(.messageReactionAdd)), .reaction(Self.key, animated: true)),
            (
                .clearReactions(
                    channelID: Self.channel, messageID: Self.message, emoji: Self.emoji,
                    logged(.messageReactionRemoveEmoji)), .clear(Self.clear(Self.emoji))
            ),
            (
                .deleteMessages([Self.message, Fixture.id(11)], Self.channel, logged(.messageDeleteBulk)),
                .messages([Self.message, Fixture.id(11)])
            ),
            // What tells again how something stands is about that, and not about the message.
            (.logOnly(logged(.messageReactionRemove), about: EventSubject(change)), EventSubject(change)),
        ]
        for (change, subject) in expected {
            let entry = LaneEntry(
                mutation: Mutation(
                    id: MutationID(1), slot: Slot(of: Self.channel), epoch: 1, origin: 0, change: change),
                admittedAt: .zero, serial: 1)
            guard case .void(Self.channel, 3, 1, let kept)? = entry.void?.mutation.change else {
                Issue.record("\(change) leaves no void")
                continue
            }
            #expect(kept == subject)
        }
    }

    @Test func aBodyTellsIt() throws {
        func told(_ kind: EventKind, _ body: String) -> EventSubject? {
            EventSubject(of: kind, in: Self.channel, messageID: Self.message, payload: Array(body.utf8))
        }
        let user = Self.key.userID
        let fox = #"{"id":"\#(Fixture.id(70))","name":"fox","animated":true}"#
        for kind in [EventKind.messageReactionAdd, .messageReactionRemove] {
            #expect(told(kind, #"{"user_id":"\#(user)","emoji":\#(fox)}"#) == .reaction(Self.key, animated: true))
        }
        #expect(told(.messageReactionRemoveAll, "{}") == .clear(Self.clear(nil)))
        #expect(told(.messageReactionRemoveEmoji, #"{"emoji":\#(fox)}"#) == .clear(Self.clear(Self.emoji)))
        #expect(told(.messageUpdate, "") == .messages([Self.message]))
        #expect(told(.messageDelete, "") == .messages([Self.message]))
        #expect(
            told(.messageDeleteBulk, #"{"ids":["\#(Self.message)","\#(Fixture.id(11))"]}"#)
                == .messages([Self.message, Fixture.id(11)]))
        #expect(told(.typingStart, "{}") == nil)
        #expect(told(.messageReactionAdd, "{}") == nil)
    }

    /// Postgres may hold what a later version wrote, or a hand.
    @Test func whatIsUnknownInAVoidIsNothing() throws {
        for body in ["", "{}", "7", #"{"message_id":"x"}"#, #"{"message_id":"7","user_id":"8"}"#, "[", "{\"a\":"] {
            #expect(EventSubject(voidIn: Self.channel, messageID: nil, payload: Array(body.utf8)) == nil)
        }
        var generator = FuzzGenerator(seed: 17)
        for subject in Self.subjects {
            let document = subject.columns.payload
            guard !document.isEmpty else { continue }
            for _ in 0..<FuzzBudget.inputs / Self.subjects.count {
                let bytes = generator.mutate(document, alphabet: Array("{}[]\",:\\0123tfn\u{0}".utf8) + [0xC3, 0xFF])
                guard let read = EventSubject(voidIn: Self.channel, messageID: nil, payload: bytes) else { continue }
                let (message, payload) = read.columns
                let again = EventSubject(voidIn: Self.channel, messageID: message, payload: payload)
                #expect(again == (read == .messages([]) ? nil : read))
            }
        }
    }
}
