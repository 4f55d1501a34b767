import FluxCore
import FluxStore
import Testing

@testable import FluxRealtime

/// Read states, receipts, settings and notes, by plain calls (protocol 9.2, 9.5, 10.3).
struct UserStateTests {
    private let ada = PeerWorld.ada
    private let bob = PeerWorld.bob
    private let channel = ChannelID(500)

    private func conversation(_ planning: inout UserPlanning) {
        planning.directChannels = [
            channel: Channel(id: channel, kind: .directMessage, name: "", recipients: [ada, bob])
        ]
        for number in UInt64(1)...20 { planning.sequences[MessageID(number)] = SequenceNumber(number) }
    }

    private func mark(_ world: PeerWorld) -> UInt64? { world.people[ada]?.readMarks[channel]?.lastMessageID.rawValue }

    @Test func anAckGoesOnlyForwardUnlessByHand() throws {
        var world = PeerWorld()
        let plan = try world.perform(.acknowledge(channel, MessageID(10)), by: ada)
        #expect(String(decoding: plan.reply.body, as: UTF8.self) == #"{"token":null}"#)
        #expect(world.outcomes[ada]?.events.map(\.kind) == [.messageAck])
        #expect(try world.perform(.acknowledge(channel, MessageID(9)), by: ada).changes.isEmpty)
        #expect(mark(world) == 10)
        try world.perform(.acknowledge(channel, MessageID(5)), by: ada, ["manual": true, "mention_count": 3])
        #expect(mark(world) == 5)
        #expect(world.people[ada]?.readMarks[channel]?.markedCount == 3)
        // The same message again clears what was marked by hand.
        try world.perform(.acknowledge(channel, MessageID(5)), by: ada)
        #expect(world.people[ada]?.readMarks[channel]?.markedCount == 0)
        #expect(world.people[ada]?.readMarks[channel]?.version == 3)
    }

    @Test func onesOwnMessageIsReadSilently() throws {
        var state = try #require(PeerWorld().people[ada])
        #expect(state.apply(state.plan(sent: MessageID(7), in: channel).changes).events.isEmpty)
        #expect(state.readMarks[channel]?.lastMessageID == MessageID(7))
        #expect(state.plan(sent: MessageID(6), in: channel).changes.isEmpty)
    }

    @Test func manyAtOnceTakeTheFurthestAndSkipWhatOneIsNotIn() throws {
        var world = PeerWorld()
        let body: JSON = [
            "read_states": [
                ["channel_id": "500", "message_id": "3", "read_state_type": 0],
                ["channel_id": "500", "message_id": "8", "read_state_type": 0],
                ["channel_id": "501", "message_id": "4", "read_state_type": 0],
            ]
        ]
        try world.perform(.acknowledgeMany, by: ada, body) { $0.unreachable = [ChannelID(501)] }
        #expect(mark(world) == 8)
        #expect(world.people[ada]?.readMarks[ChannelID(501)] == nil)
        for bad: JSON in [[:], ["read_states": []], ["read_states": [["channel_id": "1"]]]] {
            #expect(throws: APIError.self) { try world.perform(.acknowledgeMany, by: ada, bad) }
        }
    }

    @Test func receiptsGoOutOnceASecondAndTheLatestWins() throws {
        var state = try #require(PeerWorld().people[ada])
        let start = Timestamp(milliseconds: 1_780_000_000_000)
        func acknowledge(_ number: UInt64, at now: Timestamp) throws {
            var planning = UserPlanning(now: now) { () throws(APIError) in Snowflake(1) }
            conversation(&planning)
            let command = UserCommand(
                caller: Caller(userID: ada, isBot: false), operation: .acknowledge(channel, MessageID(number)))
            _ = state.apply(try state.plan(command, planning).changes)
        }
        try acknowledge(1, at: start)
        #expect(state.takeReceipts(at: start).map(\.receipt.messageID.rawValue) == [1])
        try acknowledge(2, at: start)
        try acknowledge(3, at: start)
        #expect(state.takeReceipts(at: start).isEmpty)
        #expect(state.nextReceipt == start.adding(seconds: 1))
        let later = state.takeReceipts(at: start.adding(seconds: 1))
        #expect(later.map(\.receipt.messageID.rawValue) == [3])
        #expect(later.map(\.receipt.seq) == [3])
        #expect(later.map(\.recipients) == [[bob]])
        #expect(state.nextReceipt == nil)
    }

    @Test func receiptsAreNotForTheBlockedNorFromWhoGivesNone() throws {
        func recipients(_ prepare: (inout PeerWorld) throws -> Void) throws -> [UserID] {
            var world = PeerWorld()
            try prepare(&world)
            try world.perform(.acknowledge(channel, MessageID(9)), by: ada, .null) { conversation(&$0) }
            var state = try #require(world.people[ada])
            return state.takeReceipts(at: world.now).flatMap(\.recipients)
        }
        #expect(try recipients { _ in } == [bob])
        #expect(try recipients { try $0.perform(.setRelationship(bob), by: ada, ["type": 2]) } == [])
        #expect(try recipients { try $0.perform(.updateSettings, by: ada, ["read_receipts": false]) } == [])
        #expect(
            try recipients { world in
                try world.perform(.setRelationship(ada), by: bob, ["type": 2])
                try world.deliverAll()
            } == [])

        let receipt = Receipt(channelID: channel, userID: ada, messageID: MessageID(9), seq: 9, readAt: .now())
        var world = PeerWorld()
        #expect(world.people[bob]?.receiptEvent(receipt)?.kind == .readReceipt)
        #expect(world.people[ada]?.receiptEvent(receipt) == nil)
        #expect(world.people[PeerWorld.robot]?.receiptEvent(receipt) == nil)
        try world.perform(.updateSettings, by: bob, ["read_receipts": false])
        #expect(world.people[bob]?.receiptEvent(receipt) == nil)
    }

    @Test func settingsMergeOneLevelDeepAndAreBounded() throws {
        var world = PeerWorld()
        try world.perform(.updateSettings, by: ada, ["theme": "dark", "guild_folders": ["a": 1, "b": 2]])
        let plan = try world.perform(.updateSettings, by: ada, ["guild_folders": ["c": 3]])
        let merged = try JSON.parse(plan.reply.body)
        #expect(merged == ["theme": "dark", "guild_folders": ["c": 3]])
        let event = try #require(world.outcomes[ada]?.events.first)
        #expect(event.kind == .userSettingsUpdate)
        #expect(try JSON.parse(event.body) == ["guild_folders": ["c": 3]])
        #expect(throws: APIError.requestTooLarge) {
            try world.perform(.updateSettings, by: ada, ["x": .string(String(repeating: "x", count: 64 * 1024))])
        }
        #expect(throws: APIError.self) { try world.perform(.updateSettings, by: ada, ["status": "away"]) }
        #expect(throws: APIError.self) { try world.perform(.updateSettings, by: ada, ["custom_status": "no"]) }
    }

    @Test func aCustomStatusEndsByItself() {
        let now = Timestamp(milliseconds: 1_780_000_000_000)
        let end = now.adding(seconds: 60)
        let settings = UserSettings(
            JSONObject([.init(key: "custom_status", value: ["text": "lunch", "expires_at": .string(end.description)])]))
        #expect(settings.customStatus(at: now)?.state == "lunch")
        #expect(settings.customStatusEnd(after: now) == end)
        #expect(settings.customStatus(at: end) == nil)
        #expect(settings.customStatusEnd(after: end) == nil)
    }

    @Test func notesAndGuildSettings() throws {
        var world = PeerWorld()
        try world.perform(.setNote(bob), by: ada, ["note": "met in May"])
        #expect(world.outcomes[ada]?.events.map(\.kind) == [.userNoteUpdate])
        let note = try JSON.parse(try world.perform(.note(bob), by: ada).reply.body)
        #expect(note == ["user_id": "1", "note_user_id": "2", "note": "met in May"])
        try world.perform(.setNote(bob), by: ada, ["note": ""])
        #expect(throws: APIError.unknownUser) { try world.perform(.note(bob), by: ada) }
        #expect(throws: APIError.self) {
            try world.perform(.setNote(bob), by: ada, ["note": .string(String(repeating: "n", count: 257))])
        }
        try world.perform(.updateGuildSettings(GuildID(7)), by: ada, ["muted": true])
        let plan = try world.perform(.updateGuildSettings(GuildID(7)), by: ada, ["suppress_everyone": true])
        #expect(
            try JSON.parse(plan.reply.body) == ["muted": true, "guild_id": "7", "suppress_everyone": true])
    }

    @Test func profilesAreChecked() throws {
        let person = User(id: ada, username: "ada", bio: "old")
        let changed = try ProfileEdit.apply(
            [
                "username": "Ada.Lovelace", "global_name": " Ada ", "bio": .null, "accent_color": 255,
                "pronouns": "she",
                "avatar": "0123456789abcdef0123456789abcdef",
            ], to: person)
        #expect(changed.username == "ada.lovelace" && changed.globalName == "Ada" && changed.bio == "")
        #expect(changed.accentColor == 255 && changed.pronouns == "she" && changed.avatar?.count == 32)
        #expect(try ProfileEdit.apply(["avatar": .null, "global_name": .null], to: changed).avatar == nil)
        for bad: JSON in [
            ["username": "a"], ["username": "ä.b"], ["username": "has space"], ["accent_color": 0x100_0000],
            ["avatar": "../../etc/passwd"], ["bio": .string(String(repeating: "b", count: 191))], ["global_name": ""],
        ] {
            #expect(throws: APIError.self) { try ProfileEdit.apply(bad, to: person) }
        }
        let bot = User(id: PeerWorld.robot, username: "robot", isBot: true)
        let renamed = try ProfileEdit.apply(["username": "Robot X", "bio": "ignored"], to: bot)
        #expect(renamed.username == "Robot X" && renamed.bio == "")
    }

    @Test(arguments: 0..<4) func noticesCrossTheWire(number: Int) throws {
        let half = RelationshipHalf(
            version: Snowflake(5), want: Snowflake(4), dismissed: Snowflake(3), blocks: number == 0)
        let notices: [UserNotice] = [
            .peer(PeerNotice(senderID: bob, half: half)), .membership(GuildID(77)), .conversation(channel),
        ]
        let now = Timestamp(milliseconds: 1_780_000_000_000)
        for notice in notices { #expect(UserNotice(notice.entry(id: Snowflake(1), to: ada, at: now)) == notice) }
        let guildNotices: [GuildNotice] = [
            .userChanged(ada), .purge(MessagePurge(authorID: bob, since: now, until: now.adding(seconds: 5))),
        ]
        for notice in guildNotices {
            let entry = notice.entry(id: Snowflake(1), to: GuildID(3), at: now)
            #expect(GuildNotice(entry) == notice)
            #expect(UserNotice(entry) == nil)
        }
    }
}
