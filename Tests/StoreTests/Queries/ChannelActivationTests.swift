import FluxCore
import Testing

@testable import FluxStore

/// What a new owner learns of a channel.
struct ChannelActivationTests {
    private let channelID = Fixture.id(500)

    @Test func theTailIsTheNewestWithTombstones() async throws {
        try await withDatabase { database in
            let messages = (1...130).map {
                Fixture.message(UInt64($0), channelID: channelID, seq: Int64($0), epoch: $0 > 60 ? 2 : 1)
            }
            try await database.insert(messages)
            try await database.apply(
                LaneStatements.deleteMessages([
                    MessageDeletion(channelID: channelID, messageID: messages[129].id, seq: 131)
                ]),
                LaneStatements.appendLog([LoggedEntry(voidIn: channelID, seq: 132, epoch: 3)]),
                .insertChannel(Fixture.channel(500, guildID: nil)))
            let activation = try #require(
                try await Channels(database).activation(of: channelID, noncesSince: Snowflake(0)))
            #expect(activation.head == LogHead(seq: 132, epoch: 3, lastMessageID: messages[129].id))
            #expect(activation.tail.count == 100 && activation.tail[0].deletedSeq == 131)
            #expect(activation.tail.dropFirst().map(\.message) == messages[30..<129].reversed())
            #expect(activation.channel.name == "channel")
        }
    }

    @Test func noncesOfTheLastMinutesWithWhoSentThem() async throws {
        try await withDatabase { database in
            func message(_ number: UInt64, nonce: JSON?) -> Message {
                var message = Fixture.message(
                    number, channelID: channelID, author: Fixture.id(number % 2), seq: Int64(number))
                message.nonce = nonce
                return message
            }
            let rows = [
                MessageRow(message(1, nonce: "too old")), MessageRow(message(2, nonce: "a\"b")),
                MessageRow(message(3, nonce: .number(.integer(77)))), MessageRow(message(4, nonce: nil)),
                MessageRow(message(5, nonce: nil), idempotencyKey: .max),
            ]
            try await database.apply(
                LaneStatements.insertMessages(rows), .insertChannel(Fixture.channel(500, guildID: nil)))
            let activation = try #require(
                try await Channels(database).activation(of: channelID, noncesSince: Fixture.id(2)))
            let expected: [NonceRecord] = [
                (2, .nonce("a\"b")), (3, .nonce("77")), (5, .idempotency(.max)),
            ].map { (number: UInt64, key: NonceRecord.Key) in
                NonceRecord(
                    key: key, authorID: Fixture.id(number % 2), messageID: Fixture.id(number), seq: Int64(number),
                    epoch: 1)
            }
            #expect(activation.nonces == NoncePage(records: expected, next: nil))

            // However small the page, nothing is left out.
            for size in 1...4 {
                let channels = Channels(database, noncePage: size)
                let first = try #require(try await channels.activation(of: channelID, noncesSince: Fixture.id(2)))
                var records = first.nonces.records
                var next = first.nonces.next
                while let from = next {
                    let page = try await channels.nonces(of: channelID, from: from)
                    #expect(page.records.count <= size)
                    records += page.records
                    next = page.next
                }
                #expect(records == expected)
            }
        }
    }

    @Test func pinsComeLatestFirst() async throws {
        try await withDatabase { database in
            try await database.insert(
                (1...4).map { Fixture.message($0, channelID: channelID, seq: Int64($0)) })
            for (order, number) in [UInt64(3), 1, 2].enumerated() {
                try await database.run(
                    .pin(Fixture.id(number), channelID: channelID, at: Fixture.moment.adding(seconds: Int64(order))))
            }
            // A second pin of the same message keeps its place.
            try await database.run(
                .pin(Fixture.id(3), channelID: channelID, at: Fixture.moment.adding(seconds: 99)))
            let pins = Pins(database)
            let all = try await pins.list(in: channelID, guildID: nil)
            #expect(all.map(\.message.id) == [2, 1, 3].map { Fixture.id($0) })
            #expect(all.allSatisfy { $0.message.pinned })
            let rest = try await pins.list(in: channelID, guildID: nil, before: all[0].pinnedAt, limit: 1)
            #expect(rest.map(\.message.id) == [Fixture.id(1)])
            try await database.run(.unpin(Fixture.id(1), channelID: channelID))
            #expect(try await pins.count(in: channelID) == 2)
        }
    }
}
