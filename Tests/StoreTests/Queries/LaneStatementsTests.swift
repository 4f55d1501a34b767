import FluxCore
import Testing

@testable import FluxStore

/// What a lane writes comes back as it was, a repeated batch changes nothing, and a collision is never passed over.
struct LaneStatementsTests {
    private let channelID = Fixture.id(500)

    private var rich: Message {
        Message(
            id: Fixture.id(10), channelID: channelID, guildID: Fixture.id(600), authorID: Fixture.id(1), kind: .reply,
            content: "naïve 🦊 \"quoted\"", editedAt: Fixture.moment, tts: true, mentionEveryone: true,
            mentions: [Fixture.id(2), Fixture.id(3)], mentionRoles: [Fixture.id(4)],
            attachments: [
                Attachment(
                    id: Fixture.id(5), filename: "a b.png", size: 1 << 33, contentType: "image/png", width: 3,
                    height: 4,
                    description: "d"),
                Attachment(id: Fixture.id(6), filename: "plain", size: 0),
            ],
            embeds: [["title": "t", "fields": []]], components: [["type": 1]], stickerIDs: [Fixture.id(7)], flags: 4096,
            nonce: .number(.integer(77)),
            reference: MessageReference(
                kind: .forward, channelID: Fixture.id(8), messageID: Fixture.id(9), guildID: Fixture.id(600)),
            webhookID: Fixture.id(11), applicationID: Fixture.id(12), seq: 1, epoch: 3)
    }

    @Test func everyFieldOfAMessageComesBack() async throws {
        try await withDatabase { database in
            let messages = [rich, Fixture.message(11, channelID: channelID, seq: 2)]
            try await database.insert(messages)
            let read = try await Messages(database).history(.newest, in: channelID, guildID: Fixture.id(600), limit: 9)
            var plain = messages[1]
            plain.guildID = Fixture.id(600)
            #expect(read == [plain, rich])
        }
    }

    @Test func aRepeatedBatchChangesNothing() async throws {
        try await withDatabase { database in
            let entry = LogEntry(
                channelID: channelID, seq: 2, epoch: 1, kind: .messageUpdate, messageID: Fixture.id(10), payload: [1])
            let void = LoggedEntry(voidIn: channelID, seq: 3, epoch: 1)
            for _ in 0..<2 {
                try await database.apply(
                    LaneStatements.insertMessages([MessageRow(rich)]),
                    LaneStatements.appendLog([LoggedEntry(entry), void]))
            }
            let messages = try await Messages(database).history(.newest, in: channelID, guildID: nil, limit: 9)
            #expect(messages.count == 1)
            let events = try await ChannelEvents(database).after(
                0, epoch: nil, in: channelID, guildID: nil, limit: 9
            ).events
            #expect(events.map(\.seq) == [1, 2, 3])
        }
    }

    @Test func aCollisionIsRefused() async throws {
        try await withDatabase { database in
            try await database.insert([rich])
            var other = rich
            other.id = Fixture.id(20)
            let sameSeq = await storeError { try await database.insert([other]) }
            guard case .constraint(let name, "23505") = sameSeq else {
                Issue.record("\(String(describing: sameSeq))")
                return
            }
            #expect(name.hasSuffix("_channel_id_seq_key"))

            var sameID = rich
            sameID.seq = 2
            let conflict = await storeError { try await database.insert([sameID]) }
            #expect(conflict == .constraint(name: "messages_conflict", sqlState: "23505"))

            let entry = LoggedEntry(voidIn: channelID, seq: 5, epoch: 1)
            try await database.apply(LaneStatements.appendLog([entry]))
            let later = LoggedEntry(voidIn: channelID, seq: 5, epoch: 2)
            let logConflict = await storeError { try await database.apply(LaneStatements.appendLog([later])) }
            #expect(logConflict == .constraint(name: "channel_log_conflict", sqlState: "23505"))
            let stored = try await Messages(database).history(
                .newest, in: channelID, guildID: Fixture.id(600), limit: 9)
            #expect(stored == [rich])
        }
    }

    @Test func theLastOfSeveralEditsIsWritten() async throws {
        try await withDatabase { database in
            let original = Fixture.message(10, channelID: channelID, seq: 1)
            var first = original
            first.content = "first"
            var last = rich
            last.content = "last"
            try await database.insert([original])
            try await database.apply(LaneStatements.updateMessages([MessageRow(first), MessageRow(last)]))
            let read = try await Messages(database).find(original.id, in: channelID, guildID: Fixture.id(600))
            // What an edit cannot change is what it was.
            last.seq = 1
            last.epoch = 1
            last.kind = .plain
            last.tts = false
            last.nonce = nil
            #expect(read == last)
        }
    }

    @Test func aDeletedMessageLosesWhatItSaidAndStaysDeleted() async throws {
        try await withDatabase { database in
            let reaction = ReactionFold.Addition(
                key: .init(channelID: channelID, messageID: rich.id, userID: Fixture.id(1), emoji: "🦊"),
                animated: false, seq: 2)
            let deletion = MessageDeletion(channelID: channelID, messageID: rich.id, seq: 4)
            try await database.insert([rich])
            try await database.apply(
                LaneStatements.addReactions([reaction]), .pin(rich.id, channelID: channelID, at: Fixture.moment))
            try await database.apply(
                LaneStatements.deleteMessages([deletion]), LaneStatements.deleteReactionsOfMessages([deletion]))
            try await database.apply(
                LaneStatements.updateMessages([MessageRow(rich)]),
                LaneStatements.deleteMessages([MessageDeletion(channelID: channelID, messageID: rich.id, seq: 9)]),
                .pin(rich.id, channelID: channelID, at: Fixture.moment))

            let messages = Messages(database)
            #expect(try await messages.find(rich.id, in: channelID, guildID: nil) == nil)
            #expect(try await messages.history(.newest, in: channelID, guildID: nil, limit: 9).isEmpty)
            #expect(try await Pins(database).count(in: channelID) == 0)
            #expect(try await MessageReactions(database).all(of: rich.id, in: channelID).isEmpty)
            try await database.run(.insertChannel(Channel(id: channelID, kind: .text)))
            let activation = try #require(
                try await Channels(database).activation(of: channelID, noncesSince: Snowflake(0)))
            let tombstone = try #require(activation.tail.first)
            #expect(tombstone.deletedSeq == 4)
            #expect(tombstone.message.content.isEmpty && tombstone.message.attachments.isEmpty)
            #expect(tombstone.message.mentions.isEmpty && !tombstone.message.mentionEveryone)
            // The nonce outlives the message: a repeat of the send must not bring it back (I4).
            #expect(activation.nonces.records.map(\.key) == [.nonce("77")])
            let stored = try await messages.stored(rich.id, in: channelID, guildID: nil)
            #expect(stored == tombstone)
        }
    }
}
