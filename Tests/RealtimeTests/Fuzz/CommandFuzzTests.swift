import FluxCluster
import FluxCore
import FluxFuzzing
import FluxStore
import Testing

@testable import FluxRealtime

/// Bodies of commands and of gateway payloads, as clients send them and as nodes pass them on.
@Suite struct CommandFuzzTests {
    /// Every change of a guild that takes a body, with one that is sensible.
    private static let guildCommands: [(GuildOperation, JSON)] = [
        (
            .update,
            [
                "name": "g", "description": "d", "icon": nil, "system_channel_id": "2000", "afk_timeout": 300,
                "owner_id": "3",
            ]
        ),
        (
            .createChannel,
            [
                "name": "c", "type": 0, "topic": "t", "parent_id": "2002", "position": 1, "nsfw": false,
                "rate_limit_per_user": 5, "bitrate": 64000, "user_limit": 0,
                "permission_overwrites": [["id": "1000", "type": 0, "allow": "1024", "deny": 0]],
            ]
        ),
        (
            .reorderChannels,
            [
                ["id": "2000", "position": 2, "parent_id": "2002", "lock_permissions": true],
                ["id": 2001, "position": 0],
            ]
        ),
        (
            .updateChannel(GuildWorld.general),
            ["name": "x", "topic": nil, "permission_overwrites": [], "rate_limit_per_user": 0]
        ),
        (.setOverwrite(GuildWorld.hidden, target: GuildWorld.low), ["type": 0, "allow": "1024", "deny": 2048]),
        (
            .updateMember(GuildWorld.plain),
            ["nick": "n", "roles": ["3001"], "communication_disabled_until": "2027-01-31T12:00:00+00:00", "mute": nil]
        ),
        (.updateOwnMember, ["nick": "me", "avatar": nil]),
        (.ban(GuildWorld.plain), ["delete_message_seconds": 60, "delete_message_days": 1]),
        (
            .createRole,
            [
                "name": "r", "permissions": 8, "color": 255, "hoist": true, "mentionable": false,
                "colors": ["primary_color": 1, "secondary_color": nil, "tertiary_color": nil],
            ]
        ),
        (.updateRole(GuildWorld.low), ["name": "r", "permissions": "9223372036854775807", "unicode_emoji": "👍"]),
        (.reorderRoles, [["id": "3001", "position": 2], ["id": "3002", "position": 1]]),
        (
            .createInvite(GuildWorld.general, code: "abc"),
            ["max_age": 86400, "max_uses": 5, "temporary": false, "unique": true]
        ),
    ]

    @Test func bodiesOfGuildCommandsAreRefusedOrKeepTheGuildWhole() {
        var generator = FuzzGenerator(seed: 81)
        var world = GuildWorld()
        var accepted = 0
        for round in 0..<FuzzBudget.inputs {
            // A guild that has been changed a while is given up for a new one, so that limits do not end the fun.
            if round.isMultiple(of: 500) {
                world.checkInvariants()
                world = GuildWorld()
            }
            let (operation, sensible) = generator.pick(Self.guildCommands)
            let body = generator.oneIn(20) ? generator.json() : generator.mutate(sensible)
            let caller = generator.oneIn(4) ? GuildWorld.moderator : GuildWorld.owner
            do throws(APIError) {
                let outcome = try world.perform(operation, by: caller, body)
                accepted += 1
                for event in outcome.events where !event.body.isEmpty {
                    if (try? JSON.parse(event.body)) == nil { Issue.record("\(event.kind) is no JSON for \(body)") }
                }
                if world.state.isDeleted { world = GuildWorld() }
            } catch {
                #expect((400..<500).contains(error.status), "\(operation) \(body)")
            }
        }
        #expect(accepted > FuzzBudget.inputs / 10)
    }

    private static let userCommands: [(UserOperation, JSON)] = [
        (.setRelationship(UserID(2)), ["type": 1]),
        (.updateRelationship(UserID(2)), ["nickname": "n"]),
        (.acknowledge(ChannelID(5), MessageID(6)), ["token": nil, "mention_count": 0, "manual": true]),
        (.acknowledgeMany, ["read_states": [["channel_id": "5", "message_id": "6", "read_state_type": 0]]]),
        (
            .updateSettings,
            [
                "theme": "dark", "status": "dnd", "read_receipts": false, "friend_source_flags": ["all": true],
                "custom_status": ["text": "t", "emoji_name": "👍", "expires_at": "2027-01-31T12:00:00+00:00"],
            ]
        ),
        (.updateGuildSettings(GuildID(7)), ["muted": true, "message_notifications": 1, "channel_overrides": []]),
        (.setNote(UserID(2)), ["note": "n"]),
    ]

    @Test func bodiesOfUserCommandsAreRefusedOrPlanned() {
        var generator = FuzzGenerator(seed: 82)
        var state = UserState(LoadedUser(user: User(id: UserID(1), username: "one")))
        var accepted = 0
        var counter: UInt64 = 1 << 40
        for _ in 0..<FuzzBudget.inputs {
            let (operation, sensible) = generator.pick(Self.userCommands)
            let body = generator.oneIn(20) ? generator.json() : generator.mutate(sensible)
            let command = UserCommand(caller: Caller(userID: UserID(1), isBot: false), operation: operation, body: body)
            let planning = UserPlanning(
                now: Timestamp(milliseconds: 1_780_000_000_000),
                users: [UserID(2): User(id: UserID(2), username: "two")]
            ) { () throws(APIError) in
                counter += 1
                return Snowflake(counter)
            }
            do throws(APIError) {
                _ = try state.plan(command, planning)
                accepted += 1
            } catch {
                #expect((400..<500).contains(error.status), "\(operation) \(body)")
            }
            // What is stored of a person, by whatever hand, is read.
            let stored = generator.mutate(sensible.encoded(), alphabet: Array("{}[]\",:\\u0123tfn\u{0}".utf8))
            let settings = UserSettings(stored: stored)
            _ = (settings.readReceipts, settings.takesFriendRequests, settings.chosenStatus)
            _ = settings.customStatus(at: planning.now)
            if generator.oneIn(1000) {
                state = UserState(
                    LoadedUser(
                        user: User(id: UserID(1), username: "one"), settings: stored,
                        guildSettings: [GuildID(7): stored]))
            }
        }
        #expect(accepted > FuzzBudget.inputs / 20)
    }

    @Test func bodiesOfGatewayPayloads() {
        var generator = FuzzGenerator(seed: 83)
        let presence: JSON = [
            "since": nil, "status": "online", "afk": false, "game": nil,
            "activities": [
                ["name": "a", "type": 4, "state": "s", "emoji": ["name": "👍", "id": nil], "created_at": 1, "url": "u"]
            ],
        ]
        let members: JSON = [
            "guild_id": "1000", "query": "a", "limit": 10, "user_ids": ["1", 2], "presences": true, "nonce": "n",
        ]
        var world = GuildWorld()
        var accepted = 0
        for _ in 0..<FuzzBudget.inputs {
            let now = Timestamp(milliseconds: 1_780_000_000_000)
            let body = generator.mutate(generator.oneIn(2) ? presence : members)
            if let read = SessionPresence(json: body, now: now) {
                accepted += 1
                #expect(read.status != .offline)
                #expect(try! SessionPresence(decoding: read.encoded()) == read)
            }
            if let request = MemberRequest(json: body) {
                #expect(request.userIDs.count <= MemberRequest.maximumUserIDs && request.limit >= 0)
                #expect((request.nonce ?? "").utf8.count <= MemberRequest.maximumNonceLength)
                if generator.oneIn(20) {
                    for chunk in world.state.chunks(for: request) { #expect((try? JSON.parse(chunk)) != nil) }
                }
            }
        }
        #expect(accepted > FuzzBudget.inputs / 10)
    }

    // MARK: Between nodes

    /// What a damaged value is read as has an encoding of its own, which means the same.
    private func reread<Value: WireCodable & Equatable>(_ type: Value.Type, _ bytes: [UInt8]) -> Bool {
        guard let value = try? Value(decoding: bytes) else { return false }
        let again = try? Value(decoding: value.encoded())
        if again != value, value == value { Issue.record("\(value) became \(String(describing: again))") }
        return true
    }

    /// What nodes say of a session that moves, each sort once.
    private static func moves(of key: SessionKey, _ events: [StreamEvent]) -> [SessionMoveMessage] {
        let position = StreamPosition(epoch: 4, number: 1 << 40)
        let streams: [StreamKey] = [.user(UserID(7)), .guild(GuildID(9))]
        var acknowledgements = PendingAcknowledgements()
        let first = acknowledgements.begin(ChannelID(3)) ?? 0
        _ = acknowledgements.begin(ChannelID(3))
        _ = acknowledgements.begin(ChannelID(4))
        _ = acknowledgements.finish(first + 1, of: ChannelID(3), with: [7])
        let state = SessionState(
            moves: 2, lastSequence: 500, dispatchCount: 2, countsAsOffline: true, unavailableGuilds: [GuildID(10)],
            presence: SessionPresence(),
            places: [
                .init(key: streams[0], position: position, visibility: nil),
                .init(
                    key: streams[1], position: position, visibility: ChannelVisibility([ChannelID(3), ChannelID(4)])),
                .init(key: .guild(GuildID(10)), position: nil, visibility: nil),
            ],
            acknowledgements: acknowledgements,
            unroutedSends: [.init(channelID: ChannelID(5), ticket: 3, body: ["content": "c"])],
            memberRequests: [
                MemberRequest(
                    guildID: GuildID(9), query: "q", limit: 5, userIDs: [], wantsPresences: true, nonce: "n")
            ])
        let description = SessionDescription(
            identity: GatewayIdentity(userID: UserID(7), isBot: true, loginID: LoginID(8)),
            request: IdentifyRequest(
                intents: .all, largeThreshold: 50, shard: (index: 1, count: 4), presence: ["status": "idle"]),
            streams: streams)
        return [
            .ask(ticket: 1, key: key, userID: UserID(7), sequence: 9), .refused(ticket: 1, .unknown),
            .refused(ticket: 1, .movedTo(NodeID(rawValue: 3)!)), .refused(ticket: 1, .notNow),
            .refused(ticket: 1, .impossible), .described(ticket: 1, description),
            .take(ticket: 1, key: key, streams.map { StreamHead(key: $0, position: position) }),
            .state(ticket: 1, state), .dispatches(ticket: 1, events.map(MovedDispatch.init)),
            .offer(ticket: 1, key: key, userID: UserID(7), sequence: 9),
            .confirm(ticket: 1), .heard(ticket: 1),
            .settle(ticket: 1, key: key), .settled(ticket: 1, isYours: true),
            .answer(ticket: 1, key: key, SendAnswer(send: 4, channelID: ChannelID(5), body: [1, 2])),
        ]
    }

    @Test func commandsAndCallsBetweenNodes() {
        var generator = FuzzGenerator(seed: 84)
        let caller = Caller(userID: UserID(7), isBot: true)
        let file = Attachment(
            id: AttachmentID(3), filename: "a.png", size: 9, contentType: "image/png", width: 1, height: 2)
        let presence = SessionPresence(
            json: ["status": "dnd", "activities": [["name": "a", "type": 0, "created_at": 1]]],
            now: Timestamp(milliseconds: 1_780_000_000_000))
        let key = SessionKey(nodeID: 3, random: 99)
        var samples: [(name: String, bytes: [UInt8], read: ([UInt8]) -> Bool)] = []
        func add<Value: WireCodable & Equatable>(_ value: Value) {
            samples.append(("\(Value.self)", value.encoded(), { self.reread(Value.self, $0) }))
        }
        /// What cannot be compared is as long when it is written again: sets have no order.
        func addIncomparable<Value: WireCodable>(_ value: Value) {
            samples.append(
                (
                    "\(Value.self)", value.encoded(),
                    { bytes in
                        guard let read = try? Value(decoding: bytes) else { return false }
                        let written = read.encoded()
                        return (try? Value(decoding: written))?.encoded().count == written.count
                    }
                ))
        }
        for (operation, body) in Self.guildCommands {
            add(GuildCommand(caller: caller, reason: "r", idempotencyKey: 5, operation: operation, body: body))
        }
        for (operation, body) in Self.userCommands {
            add(UserCommand(caller: caller, operation: operation, body: body))
        }
        for operation: ChannelOperation in [
            .send(attachments: [file]), .edit(MessageID(5), attachments: []),
            .history(.around(MessageID(9)), limit: 50),
            .removeReaction(MessageID(5), Emoji(id: EmojiID(4), name: "x", animated: true), UserID(3)),
            .pins(before: Timestamp(milliseconds: 5), limit: 5, legacy: false), .events(after: 5, limit: 9, epoch: 3),
        ] {
            add(ChannelCommand(caller: caller, operation: operation, body: ["content": "c"]))
        }
        add(SendRequest(caller: caller, body: ["content": "c", "nonce": "n"]))
        add(Sent(id: MessageID(1), sequence: 2, epoch: 3))
        add(CommandReply(status: 200, body: Array("{}".utf8)))
        add(
            DirectEvent(
                channelID: ChannelID(4), kind: .messageCreate, body: [1, 2], opening: [3],
                head: DirectHead(lastMessageID: MessageID(8), lastSequence: 4, epoch: 1), isLogged: true,
                messageID: MessageID(8)))
        add(
            DirectQuestion(
                recipientID: UserID(7), head: ChannelHead(channelID: ChannelID(4), sequence: 3, epoch: 1)))
        add(
            DirectCorrection(
                channelID: ChannelID(4), standsUpTo: 2,
                missed: [
                    DirectEvent(
                        channelID: ChannelID(4), kind: .messageDelete, body: [1], head: DirectHead(), isLogged: true)
                ], head: DirectHead(lastSequence: 4, epoch: 1), epoch: 2, isComplete: true, isTruncated: false))
        add(MemberChunks(bodies: [[1], [2, 3]]))
        if let presence {
            add(SessionAttachment(session: key, isBot: false, loginID: nil, presence: presence))
            add(SessionNews(session: key, home: nil, news: .presence(presence)))
            add(RollCallEntry(userID: UserID(7), session: key, node: NodeID(rawValue: 3)!))
            add(GuildPresenceQuestion(guildID: GuildID(9)))
        }
        let node = NodeID(rawValue: 1)!
        add(SessionNews(session: key, home: SessionHome(node: node, moves: 3), news: .ended))
        add(SessionQuestion(session: key))
        add(SessionWhereabouts(node: node))
        add(GuildWatch(userID: UserID(1), node: node))
        let head = ChannelHead(channelID: ChannelID(3), sequence: 4, epoch: 5)
        let view = RelayView(heads: [head], version: 6)
        add(
            RelayRegistration(
                node: node, number: 1, position: StreamPosition(epoch: 1, number: 2), view: view,
                listeners: [UserID(1)]))
        let change = AccessChange(
            userID: UserID(1), visibility: ChannelVisibility([ChannelID(3)]), revealed: [], hidden: [])
        let events = [
            StreamEvent(
                position: StreamPosition(epoch: 1, number: 2), kind: .messageCreate, body: [1, 2],
                audience: .viewers(of: ChannelID(3)), intents: .guildMessages, subject: UserID(1),
                mark: .log(head, .messageCreate, messageID: MessageID(7))),
            StreamEvent(kind: .channelUpdate, body: [], audience: .nobody, control: .access([change])),
        ]
        for event in events { addIncomparable(WireStreamEvent(event)) }
        addIncomparable(
            RelayWelcome(
                owner: node,
                continuation: .succeeds(
                    StreamPosition(epoch: 2, number: 1), view,
                    [ChannelCorrection(channelID: ChannelID(3), standsUpTo: 1, missed: events)])))
        add(StreamHead(key: .guild(GuildID(1)), position: StreamPosition(epoch: 1, number: 2)))
        add(RelayClaim(key: .user(UserID(1)), registration: 7, position: StreamPosition(epoch: 3, number: 9)))
        for message in Self.moves(of: key, events) { addIncomparable(message) }
        for sample in samples { #expect(sample.read(sample.bytes), "\(sample.name)") }

        var refused = 0
        for _ in 0..<FuzzBudget.inputs {
            let sample = generator.pick(samples)
            let bytes =
                generator.oneIn(10)
                ? generator.bytes(upTo: 80) : generator.mutate(sample.bytes, alphabet: [0, 1, 0x7F, 0x80, 0xFF])
            if !sample.read(bytes) { refused += 1 }
        }
        #expect(refused > FuzzBudget.inputs / 20)
    }
}
