import FluxCore
import FluxFuzzing
import Testing

@testable import FluxStore

/// The log as clients catch up on it (protocol 10.5): merged, paged, and honest about what was taken back or purged.
struct ChannelEventsTests {
    private let channelID = Fixture.id(500)

    private func update(_ seq: SequenceNumber, epoch: Epoch = 1, of message: UInt64 = 10) -> LoggedEntry {
        LoggedEntry(
            LogEntry(
                channelID: channelID, seq: seq, epoch: epoch, kind: .messageUpdate, messageID: Fixture.id(message),
                payload: Array("{\"seq\":\(seq)}".utf8)))
    }

    @Test func createsAndOthersComeMergedInTheirOrder() async throws {
        try await withDatabase { database in
            let messages = [
                Fixture.message(10, channelID: channelID, seq: 1), Fixture.message(11, channelID: channelID, seq: 3),
                Fixture.message(12, channelID: channelID, seq: 6, epoch: 2),
            ]
            try await database.insert(messages)
            try await database.apply(
                LaneStatements.deleteMessages([
                    MessageDeletion(channelID: channelID, messageID: messages[1].id, seq: 4)
                ]),
                LaneStatements.appendLog([
                    update(2),
                    LoggedEntry(
                        LogEntry(
                            channelID: channelID, seq: 4, epoch: 1, kind: .messageDelete, messageID: messages[1].id,
                            payload: [2])),
                    LoggedEntry(voidIn: channelID, seq: 5, epoch: 1),
                ]))
            let page = try await ChannelEvents(database).after(0, epoch: nil, in: channelID, guildID: nil, limit: 500)
            #expect(page.events.map(\.seq) == [1, 2, 3, 4, 5, 6])
            #expect(page.events.map(\.epoch) == [1, 1, 1, 1, 1, 2])
            var emptied = messages[1]
            emptied.content = ""
            #expect(
                page.events.map(\.body) == [
                    .created(messages[0]),
                    .logged(.messageUpdate, messageID: Fixture.id(10), payload: Array("{\"seq\":2}".utf8)),
                    .created(emptied),
                    .logged(.messageDelete, messageID: messages[1].id, payload: [2]), .void, .created(messages[2]),
                ])
            #expect(page.head == LogHead(seq: 6, epoch: 2, lastMessageID: messages[2].id))
            #expect(!page.isTruncated && page.rolledBackTo == nil)
        }
    }

    @Test func aChannelWithoutALogIsEmpty() async throws {
        try await withDatabase { database in
            let page = try await ChannelEvents(database).after(0, epoch: 0, in: channelID, guildID: nil, limit: 1)
            #expect(page == ChannelEventPage(events: [], head: LogHead(), isTruncated: false, rolledBackTo: nil))
        }
    }

    /// A log of several epochs; for every (seq, epoch) that a client may hold, what stands is what a model of the log says.
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func rollbacksOverSeveralEpochs(seed: UInt64) async throws {
        try await withDatabase { database in
            var generator = SeededGenerator(seed: seed)
            var epochs: [Epoch] = []
            var epoch: Epoch = 1
            for _ in 0..<40 {
                if Int.random(in: 0..<8, using: &generator) == 0 { epoch += Int64.random(in: 1...3, using: &generator) }
                epochs.append(epoch)
            }
            var messages: [Message] = []
            var entries: [LoggedEntry] = []
            var voids: Set<SequenceNumber> = []
            for (index, epoch) in epochs.enumerated() {
                let seq = Int64(index + 1)
                if Int.random(in: 0..<5, using: &generator) == 0 {
                    // Whoever saw what had this number may not have seen it taken back.
                    voids.insert(seq)
                    entries.append(LoggedEntry(voidIn: channelID, seq: seq, epoch: epoch))
                } else if Bool.random(using: &generator) {
                    messages.append(
                        Fixture.message(UInt64(100 + index), channelID: channelID, seq: seq, epoch: epoch))
                } else {
                    entries.append(update(seq, epoch: epoch))
                }
            }
            try await database.insert(messages)
            try await database.apply(LaneStatements.appendLog(entries))
            let events = ChannelEvents(database)
            for seq in Int64(0)...45 {
                for held in Int64(0)...(epoch + 1) {
                    let standing =
                        (1...40).last { $0 <= seq && epochs[Int($0) - 1] <= held && !voids.contains($0) } ?? Int64(0)
                    let page = try await events.after(seq, epoch: held, in: channelID, guildID: nil, limit: 3)
                    #expect(page.rolledBackTo == (standing < seq ? standing : nil), "holds \(seq) of epoch \(held)")
                    let following = Array((standing + 1)...max(standing + 1, 40)).filter { $0 <= 40 }.prefix(3)
                    #expect(page.events.map(\.seq) == Array(following))
                    #expect(page.head.seq == 40 && page.head.epoch == epoch && !page.isTruncated)
                }
            }
        }
    }

    @Test func purgingTheLogIsToldAndNumbersGoOn() async throws {
        try await withDatabase { database in
            try await database.insert([Fixture.message(10, channelID: channelID, seq: 1)])
            try await database.apply(
                LaneStatements.appendLog([update(2), update(3)]), .insertChannel(Channel(id: channelID, kind: .text)))
            let maintenance = Maintenance(database)
            #expect(try await maintenance.purgeLog(before: Timestamp.now().adding(seconds: -3600)) == 0)
            #expect(try await maintenance.purgeLog(before: Timestamp.now().adding(seconds: 3600)) == 2)

            let events = ChannelEvents(database)
            let asked = try await events.after(1, epoch: 1, in: channelID, guildID: nil, limit: 10)
            #expect(asked.isTruncated && asked.events.isEmpty && asked.rolledBackTo == nil)
            #expect(asked.head == LogHead(seq: 3, epoch: 1, lastMessageID: Fixture.id(10)))
            let current = try await events.after(3, epoch: 1, in: channelID, guildID: nil, limit: 10)
            #expect(!current.isTruncated && current.rolledBackTo == nil)
            let activation = try #require(
                try await Channels(database).activation(of: channelID, noncesSince: Snowflake(0)))
            #expect(activation.head.seq == 3)
        }
    }

    @Test func aPurgedTombstoneLeavesItsNumberAndItsID() async throws {
        try await withDatabase { database in
            let message = Fixture.message(10, channelID: channelID, seq: 1)
            try await database.insert([message])
            try await database.apply(
                LaneStatements.deleteMessages([MessageDeletion(channelID: channelID, messageID: message.id, seq: 2)]),
                .insertChannel(Channel(id: channelID, kind: .text)))
            #expect(try await Maintenance(database).purgeTombstones(before: Timestamp.now().adding(seconds: 60)) == 1)
            let channel = try #require(try await Channels(database).find(channelID))
            #expect(channel.lastMessageID == message.id && channel.lastSeq == 1)
        }
    }

    @Test func droppedPartitionsLeaveTheirNumbers() async throws {
        try await withDatabase { database in
            let maintenance = Maintenance(database)
            let now = Timestamp.now()
            let year: Int64 = 365 * 86_400
            #expect(try await maintenance.extendPartitions(at: now.adding(seconds: year)) > 6)
            #expect(try await maintenance.extendPartitions(at: now.adding(seconds: year)) == 0)
            let old = Message(
                id: .lowest(atMilliseconds: now.milliseconds), channelID: channelID, authorID: Fixture.id(1), seq: 1,
                epoch: 1)
            var new = old
            new.id = .lowest(atMilliseconds: now.adding(seconds: year).milliseconds)
            new.seq = 2
            try await database.insert([old, new])
            try await database.run(
                LaneStatements.addReactions([
                    .init(
                        key: .init(channelID: channelID, messageID: old.id, userID: Fixture.id(1), emoji: "🦊"),
                        animated: false, seq: 3)
                ]))
            // A partition of which a part is younger stays.
            #expect(try await maintenance.dropMessages(before: now) == 0)
            #expect(try await maintenance.dropMessages(before: now.adding(seconds: year / 2)) > 2)
            let history = try await Messages(database).history(.newest, in: channelID, guildID: nil, limit: 9)
            #expect(history.map(\.id) == [new.id])
            #expect(try await MessageReactions(database).all(of: old.id, in: channelID).isEmpty)
            let page = try await ChannelEvents(database).after(0, epoch: nil, in: channelID, guildID: nil, limit: 9)
            #expect(page.isTruncated && page.events.map(\.seq) == [2])
            #expect(try await maintenance.dropMessages(before: now.adding(seconds: 2 * year)) > 0)
            try await database.run(.insertChannel(Channel(id: channelID, kind: .text)))
            let emptied = try #require(try await Channels(database).find(channelID))
            #expect(emptied.lastSeq == 2 && emptied.lastMessageID == new.id)
        }
    }
}
