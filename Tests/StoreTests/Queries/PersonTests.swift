import FluxCore
import Testing

@testable import FluxStore

/// What belongs to one person: relationships, DMs, read states, settings, and the outbox between people.
struct PersonTests {
    private let ada = Fixture.id(1)
    private let bob = Fixture.id(2)

    @Test func relationshipsOfEachSide() async throws {
        try await withDatabase { database in
            try await Provision(database).insert(users: (1...4).map { Fixture.person($0) })
            let relationships = Relationships(database)
            func side(_ user: UInt64, _ peer: UInt64, _ kind: Relationship.Kind?) -> RelationshipSide {
                RelationshipSide(
                    userID: Fixture.id(user), peerID: Fixture.id(peer), kind: kind, nickname: "nick",
                    since: Fixture.moment,
                    own: RelationshipHalf(
                        version: Fixture.id(11), want: Fixture.id(12), dismissed: Fixture.id(13), blocks: true),
                    peer: RelationshipHalf(
                        version: Fixture.id(14), want: Fixture.id(15), dismissed: Fixture.id(16), blocks: false))
            }
            try await database.apply(
                .setRelationship(side(1, 2, .outgoing)), .setRelationship(side(1, 3, .friend)),
                .setRelationship(side(2, 3, .friend)), .setRelationship(side(1, 4, .friend)),
                .setRelationship(side(2, 4, .blocked)))
            #expect(try await relationships.find(of: ada, with: bob) == side(1, 2, .outgoing))
            #expect(try await relationships.find(of: bob, with: ada) == nil)
            #expect(try await relationships.list(of: ada).map(\.kind) == [.outgoing, .friend, .friend])
            #expect(try await relationships.mutualFriends(ada, bob).map(\.id) == [Fixture.id(3)])
            var changed = RelationshipSide(
                userID: ada, peerID: bob, since: Timestamp.now(), own: RelationshipHalf(blocks: false),
                peer: RelationshipHalf(version: Fixture.id(1), blocks: true))
            try await database.apply(.setRelationship(changed))
            let read = try #require(try await relationships.find(of: ada, with: bob))
            changed.since = read.since
            #expect(read == changed)
            try await database.apply(
                .setNote("n", userID: ada, about: bob), .setNote("m", userID: ada, about: Fixture.id(3)),
                .setNote("", userID: ada, about: bob))
            #expect(try await relationships.notes(of: ada) == [Fixture.id(3): "m"])
        }
    }

    @Test func twoPeopleHaveOneDirectMessageHoweverManyAskAtOnce() async throws {
        try await withDatabase { database in
            let directMessages = DirectMessages(database)
            let answers = try await withThrowingTaskGroup(of: ChannelID.self) { group in
                for number in UInt64(100)..<130 {
                    group.addTask {
                        number.isMultiple(of: 2)
                            ? try await directMessages.channel(of: ada, and: bob, proposed: Fixture.id(number))
                            : try await directMessages.channel(of: bob, and: ada, proposed: Fixture.id(number))
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(answers.count == 1)
            let channelID = try #require(answers.first)
            let channel = try #require(try await Channels(database).find(channelID))
            #expect(channel.kind == .directMessage && channel.recipients == [ada, bob] && channel.guildID == nil)
            #expect(try await directMessages.find(bob, ada) == channelID)
            #expect(try await directMessages.list(of: ada).isEmpty)
            try await database.apply(
                .openDirectMessage(channelID, userID: ada),
                .closeDirectMessage(channelID, userID: bob, newest: nil))
            #expect(try await directMessages.list(of: ada).map(\.channel) == [channel])
            #expect(try await directMessages.list(of: bob).isEmpty)
            #expect(try await directMessages.list(of: bob, closed: true).map(\.isOpen) == [false])
        }
    }

    @Test func aLaterMessageBringsAConversationBackWithoutAWord() async throws {
        try await withDatabase { database in
            let directMessages = DirectMessages(database)
            let direct = try await directMessages.channel(of: ada, and: bob, proposed: Fixture.id(100))
            func isOpen() async throws -> Bool {
                let list = try await directMessages.list(of: ada, closed: true)
                #expect(list.count == 1)
                let states = try await ReadStates(database).list(of: ada)
                #expect(try await directMessages.list(of: ada).isEmpty == (list.first?.isOpen == false))
                #expect(states.isEmpty == (list.first?.isOpen == false))
                return list.first?.isOpen == true
            }
            func say(_ number: UInt64) async throws -> MessageID {
                var message = Fixture.message(number, channelID: direct, author: bob, seq: Int64(number))
                message.content = "hey"
                try await database.insert([message])
                return message.id
            }
            try await database.apply(.closeDirectMessage(direct, userID: ada, newest: nil))
            #expect(try await isOpen() == false)
            let first = try await say(1)
            #expect(try await isOpen())
            try await database.apply(.closeDirectMessage(direct, userID: ada, newest: first))
            #expect(try await isOpen() == false)
            _ = try await say(2)
            #expect(try await isOpen())
        }
    }

    @Test func receiptsOnlyGoForward() async throws {
        try await withDatabase { database in
            func receipt(_ number: UInt64) -> Receipt {
                Receipt(
                    channelID: Fixture.id(500), userID: ada, messageID: Fixture.id(number), seq: Int64(number),
                    readAt: Fixture.moment)
            }
            for number in [UInt64(3), 5, 4] { try await database.run(.setReceipt(receipt(number))) }
            let directMessages = DirectMessages(database)
            #expect(try await directMessages.receipts(in: Fixture.id(500)) == [receipt(5)])
            try await database.run(.deleteReceipts(of: bob, in: [Fixture.id(500)]))
            #expect(try await directMessages.receipts(in: Fixture.id(500)).count == 1)
            try await database.run(.deleteReceipts(of: ada, in: [Fixture.id(500)]))
            #expect(try await directMessages.receipts(in: Fixture.id(500)).isEmpty)
        }
    }

    @Test func mentionsAreCountedFromTheMessages() async throws {
        try await withDatabase { database in
            let guildID = Fixture.id(600)
            let role = Fixture.id(601)
            let inGuild = Fixture.id(610)
            let dm = try await DirectMessages(database).channel(of: ada, and: bob, proposed: Fixture.id(620))
            try await database.apply(
                .insertGuild(Fixture.guild(600, owner: bob)), .insertChannel(Fixture.channel(610, guildID: guildID)),
                .insertMember(Fixture.member(1, guildID: guildID, roles: [role])), .openDirectMessage(dm, userID: ada))
            func message(_ number: UInt64, _ channelID: ChannelID, by author: UserID, _ edit: (inout Message) -> Void)
                -> Message
            {
                var message = Fixture.message(number, channelID: channelID, author: author, seq: Int64(number))
                edit(&message)
                return message
            }
            try await database.insert([
                message(1, inGuild, by: bob) { $0.mentions = [ada] },  // read already
                message(2, inGuild, by: bob) { $0.mentions = [bob, ada] },
                message(3, inGuild, by: bob) { $0.mentionRoles = [role] },
                message(4, inGuild, by: bob) { $0.mentionEveryone = true },
                message(5, inGuild, by: bob) { $0.mentionRoles = [Fixture.id(602)] },  // another's role
                message(6, inGuild, by: bob) { $0.mentions = [bob] },  // somebody else
                message(7, inGuild, by: ada) { $0.mentionEveryone = true },  // one's own
                message(8, inGuild, by: bob) { $0.content = "nobody" },
                message(9, inGuild, by: bob) { $0.mentions = [ada] },  // deleted below
                message(11, dm, by: bob) { $0.content = "counts" },
                message(12, dm, by: ada) { $0.content = "one's own" },
            ])
            try await database.run(
                LaneStatements.deleteMessages([
                    MessageDeletion(channelID: inGuild, messageID: Fixture.id(9), seq: 10)
                ]))
            func state(_ channelID: ChannelID, _ last: UInt64, marked: Int = 0) -> ReadState {
                ReadState(
                    userID: ada, channelID: channelID, lastMessageID: Fixture.id(last), mentionCount: marked,
                    updatedAt: Fixture.moment)
            }
            let readStates = ReadStates(database)
            try await database.run(.setReadState(state(inGuild, 1), version: 1))
            let counted = try await readStates.list(of: ada)
            #expect(counted.map(\.state.channelID) == [inGuild, dm])
            #expect(counted.map(\.state.mentionCount) == [3, 1])
            #expect(counted.map(\.head.seq) == [9, 12])
            #expect(counted.map(\.head.lastMessageID) == [Fixture.id(9), Fixture.id(12)])

            // Each message's number in its own channel; what is in another channel, or nowhere, has none.
            let sequences = try await Messages(database).sequences(of: [
                (inGuild, Fixture.id(2)), (dm, Fixture.id(11)), (dm, Fixture.id(3)), (inGuild, Fixture.id(99)),
            ])
            #expect(sequences == [Fixture.id(2): 2, Fixture.id(11): 11])
            let channels = try await Channels(database).batch([inGuild, dm, Fixture.id(999)])
            #expect(channels.keys.sorted() == [inGuild, dm])
            #expect(channels[dm]?.recipients == [ada, bob] && channels[inGuild]?.guildID == guildID)

            try await database.apply(
                .setReadState(state(inGuild, 3, marked: 5), version: 3),
                .setReadState(state(inGuild, 9), version: 2),  // late, and passed over
                .setReadState(state(dm, 11), version: 1))
            let later = try await readStates.list(of: ada)
            #expect(later.map(\.state.mentionCount) == [6, 0])
            #expect(later[0].markedCount == 5 && later[0].version == 3)
            // Who has left the guild has no read state there.
            try await database.run(.deleteMember(ada, guildID: guildID))
            #expect(try await readStates.list(of: ada).map(\.state.channelID) == [dm])
        }
    }

    @Test func settings() async throws {
        try await withDatabase { database in
            let settings = Settings(database)
            #expect(try await settings.find(of: ada) == nil)
            try await database.apply(
                .setSettings([1], userID: ada), .setSettings([2], userID: ada),
                .setGuildSettings([3], userID: ada, guildID: Fixture.id(600)),
                .setGuildSettings([4], userID: ada, guildID: Fixture.id(600)))
            #expect(try await settings.find(of: ada) == [2])
            #expect(try await settings.guilds(of: ada) == [Fixture.id(600): [4]])
            try await database.run(.insertUser(Fixture.person(1)))
            let loaded = try #require(try await UserLoading(database).load(ada))
            #expect(loaded.user == Fixture.person(1) && loaded.settings == [2])
            #expect(loaded.guildSettings == [Fixture.id(600): [4]] && loaded.relationships.isEmpty)
            #expect(try await UserLoading(database).load(bob) == nil)
        }
    }

    @Test func manyAreLoadedTogetherAsEachAlone() async throws {
        try await withDatabase { database in
            let people = (1...5).map { Fixture.person($0) }
            let ids = people.map(\.id)
            try await Provision(database).insert(users: people)
            let guildID = Fixture.id(600)
            try await database.apply(
                .insertGuild(Fixture.guild(600, owner: bob)), .insertChannel(Fixture.channel(610, guildID: guildID)),
                .insertMember(Fixture.member(1, guildID: guildID)), .insertMember(Fixture.member(3, guildID: guildID)))
            for (number, id) in ids.enumerated().dropLast() {
                let peer = ids[(number + 1) % 4]
                let direct = try await DirectMessages(database).channel(
                    of: id, and: peer, proposed: Fixture.id(UInt64(700 - number)))
                var message = Fixture.message(UInt64(number + 1), channelID: direct, author: peer, seq: 1)
                message.content = "hey"
                try await database.insert([message])
                try await database.apply(
                    .setSettings([UInt8(number)], userID: id), .setNote("n\(number)", userID: id, about: peer),
                    .setGuildSettings([9, UInt8(number)], userID: id, guildID: guildID),
                    .openDirectMessage(direct, userID: id),
                    .closeDirectMessage(direct, userID: peer, newest: message.id),
                    .setRelationship(RelationshipSide(userID: id, peerID: peer, kind: .friend, since: Fixture.moment)),
                    .setRelationship(
                        RelationshipSide(
                            userID: id, peerID: ids[(number + 2) % 4], kind: .blocked, since: Fixture.moment)
                    ),
                    .insertOutbox(
                        OutboxEntry(
                            id: Fixture.id(UInt64(900 - number)), targetKind: 3, targetKey: id,
                            createdAt: Fixture.moment, payload: [UInt8(number)])))
            }
            let loading = UserLoading(database)
            let together = try await loading.load(ids.reversed() + [Fixture.id(99)], outboxKind: 3)
            #expect(Set(together.keys) == Set(ids))
            let parts = try await loading.readyParts(ids, outboxKind: 3)
            for person in people {
                let id = person.id
                let loaded = try #require(together[id])
                #expect(loaded.user.username == person.username)
                #expect(try await loaded.relationships == Relationships(database).list(of: id))
                #expect(try await loaded.notes == Relationships(database).notes(of: id))
                #expect(try await loaded.settings == Settings(database).find(of: id))
                #expect(try await loaded.guildSettings == Settings(database).guilds(of: id))
                #expect(try await loaded.directMessages == DirectMessages(database).list(of: id, closed: true))
                #expect(try await loaded.readStates == ReadStates(database).list(of: id))
                #expect(try await loaded.guildIDs == Memberships(database).guildIDs(of: id))
                #expect(try await loaded.outbox == Outbox(database).pending(for: id, kind: 3))
                #expect(parts[id]?.outbox == loaded.outbox)
                #expect(parts[id]?.directMessages == loaded.directMessages.filter(\.isOpen))
                #expect(parts[id]?.readStates == loaded.readStates)
            }
            // The last one has nothing, and the others have something of everything.
            let (first, last) = (try #require(together[ids[0]]), try #require(together[ids[4]]))
            #expect(first.relationships.count == 2 && first.directMessages.count == 2 && first.outbox.count == 1)
            #expect(first.guildIDs == [guildID] && first.readStates.count == 1 && first.settings == [0])
            #expect(last.relationships.isEmpty && last.directMessages.isEmpty && last.settings == nil)
        }
    }

    @Test func anOutboxEntryIsAppliedOnce() async throws {
        try await withDatabase { database in
            let outbox = Outbox(database)
            let entries = (1...3).map { number in
                OutboxEntry(
                    id: Fixture.id(UInt64(number)), targetKind: 3, targetKey: number == 2 ? ada : bob,
                    createdAt: Fixture.moment, payload: [UInt8(number)])
            }
            for entry in entries.reversed() { try await database.run(.insertOutbox(entry)) }
            let slots = [Slot(of: ada), Slot(of: bob)]
            #expect(try await outbox.pending(in: slots) == entries)
            #expect(try await outbox.pending(in: slots, after: entries[0].id, limit: 1) == [entries[1]])
            #expect(try await outbox.pending(for: bob, kind: 3) == [entries[0], entries[2]])
            #expect(try await outbox.pending(for: bob, kind: 4).isEmpty)

            let effect = Statement.setNote("applied", userID: bob, about: ada)
            try await database.apply(.takeFromOutbox(entries[0].id), effect)
            let again = await storeError {
                try await database.apply(
                    .setNote("twice", userID: bob, about: ada), .takeFromOutbox(entries[0].id))
            }
            #expect(again == .constraint(name: "outbox_applied_once", sqlState: "23505"))
            #expect(try await Relationships(database).notes(of: bob) == [ada: "applied"])
            #expect(try await outbox.pending(in: slots) == Array(entries.dropFirst()))
        }
    }

    @Test func filesAreFoundInTheirChannelOnly() async throws {
        try await withDatabase { database in
            let attachments = Attachments(database)
            let files = [
                Attachment(
                    id: Fixture.id(1), filename: "a.png", size: 5, contentType: "image/png", width: 1, height: 2),
                Attachment(id: Fixture.id(2), filename: "b", size: 1 << 40),
            ]
            try await attachments.insert(files, channelID: Fixture.id(500), uploaderID: ada, at: Fixture.moment)
            for file in files {
                #expect(try await attachments.find(file.id, channelID: Fixture.id(500)) == file)
                #expect(try await attachments.find(file.id, channelID: Fixture.id(501)) == nil)
            }
            try await attachments.delete([files[0].id])
            #expect(try await attachments.find(files[0].id, channelID: Fixture.id(500)) == nil)
        }
    }
}
