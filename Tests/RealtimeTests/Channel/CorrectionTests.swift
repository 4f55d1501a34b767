import FluxCore
import FluxStore
import Testing

@testable import FluxRealtime

/// What was shown and does not stand is taken back, whoever finds it out (I5).
@Suite struct CorrectionTests {
    private func updates(_ client: TestClient) -> [String?] {
        client.dispatches.filter { $0.kind == .messageUpdate }.map { $0.body["content"]?.stringValue }
    }

    @Test func anEditThatPostgresRefusesGivesWayToTheTextThatStands() async throws {
        try await TestNode.run { node in
            try await node.database.run(
                Statement(
                    PreparedQuery(
                        "test.refuse", "ALTER TABLE messages ADD CONSTRAINT taste CHECK (content <> 'refused')")))
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let client = try await node.connect(owner)
            let said = try await node.say("stands", in: guild.channel, as: owner)
            let id = try #require(said["id"]?.snowflakeValue)
            await #expect(throws: APIError.refusedByDatabase) {
                _ = try await node.realtime.perform(
                    ChannelCommand(
                        caller: owner, operation: .edit(id, attachments: []), body: ["content": "refused"]),
                    on: guild.channel)
            }
            await client.until { dispatches, _, _ in dispatches.count { $0.kind == .messageUpdate } == 2 }
            #expect(updates(client) == ["refused", "stands"])
            #expect(client.sequences(of: guild.channel) == [1, 2, 3])
            let shown = try await node.realtime.perform(
                ChannelCommand(caller: owner, operation: .message(id)), on: guild.channel)
            #expect(try JSON.parse(shown.body)["content"]?.stringValue == "stands")
        }
    }

    @Test func aReactionThatPostgresRefusesIsTakenBack() async throws {
        try await TestNode.run { node in
            try await node.database.run(
                Statement(
                    PreparedQuery(
                        "test.refuse", "ALTER TABLE reactions ADD CONSTRAINT taste CHECK (emoji NOT LIKE '%🦀%')")))
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let client = try await node.connect(owner)
            let said = try await node.say("stands", in: guild.channel, as: owner)
            let id = try #require(said["id"]?.snowflakeValue)
            func react(_ name: String) async throws {
                _ = try await node.realtime.perform(
                    ChannelCommand(caller: owner, operation: .addReaction(id, Emoji(id: nil, name: name))),
                    on: guild.channel)
            }
            try await react("🎉")
            await #expect(throws: APIError.refusedByDatabase) { try await react("🦀") }
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .messageReactionRemove } }
            let told = client.dispatches.filter { [.messageReactionAdd, .messageReactionRemove].contains($0.kind) }
            #expect(told.map(\.kind) == [.messageReactionAdd, .messageReactionAdd, .messageReactionRemove])
            #expect(told.map { $0.body["emoji"]?["name"]?.stringValue } == ["🎉", "🦀", "🦀"])
            #expect(client.sequences(of: guild.channel) == [1, 2, 3, 4])
            // Nor is it there for whoever asks: it can be given again, and is told again.
            await #expect(throws: APIError.refusedByDatabase) { try await react("🦀") }
            await client.until { dispatches, _, _ in
                dispatches.count { $0.kind == .messageReactionRemove } == 2
            }
        }
    }

    /// The owner died when the voids were in and nobody had been told.
    @Test func theNextOwnerTakesBackWhatTheOneBeforeCouldNot() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let stored = try node.realtime.mintID()
            let ghost = try node.realtime.mintID()
            // What is in Postgres then: a message, the void of its edit, and that of another message.
            try await node.database.run(
                LaneStatements.insertMessages([
                    MessageRow(
                        Message(
                            id: stored, channelID: guild.channel, guildID: guild.id, authorID: owner.userID,
                            content: "stands", seq: 1, epoch: 1))
                ]))
            try await node.database.run(
                LaneStatements.appendLog([
                    LoggedEntry(voidIn: guild.channel, seq: 2, epoch: 1, about: .messages([stored])),
                    LoggedEntry(voidIn: guild.channel, seq: 3, epoch: 1, about: .messages([ghost])),
                    // Somebody's reaction to what they were shown does not say that it never came to be.
                    LoggedEntry(
                        LogEntry(
                            channelID: guild.channel, seq: 4, epoch: 1, kind: .messageReactionAdd, messageID: ghost,
                            payload: Array("{}".utf8))),
                ]))
            let client = try await node.connect(owner)
            try await node.say("next", in: guild.channel, as: owner)
            await client.until { dispatches, _, _ in
                dispatches.contains { $0.kind == .messageUpdate } && dispatches.contains { $0.kind == .messageDelete }
                    && dispatches.contains { $0.kind == .messageCreate }
            }
            #expect(updates(client) == ["stands"])
            let deleted = client.dispatches.filter { $0.kind == .messageDelete }
            #expect(deleted.map { $0.body["id"]?.snowflakeValue } == [ghost])
            // What was answered once is not answered again by the owner after that. The reading waits until all is committed.
            _ = try await node.realtime.perform(
                ChannelCommand(caller: owner, operation: .events(after: 0, limit: 10, epoch: nil)), on: guild.channel)
            let left = try await Channels(node.database).unansweredVoids(of: guild.channel)
            #expect(left.isEmpty)
        }
    }

    /// Likewise with reactions: one that was given in vain, one that was taken back in vain, and all that were cleared in vain.
    @Test func theNextOwnerTakesBackReactionsToo() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let (first, second) = (try node.realtime.mintID(), try node.realtime.mintID())
            func key(_ message: MessageID, _ emoji: String) -> ReactionFold.Key {
                ReactionFold.Key(
                    channelID: guild.channel, messageID: message, userID: owner.userID, emoji: emoji)
            }
            try await node.database.run(
                LaneStatements.insertMessages(
                    [first, second].enumerated().map { index, id in
                        MessageRow(
                            Message(
                                id: id, channelID: guild.channel, guildID: guild.id, authorID: owner.userID,
                                content: "stands", seq: Int64(index + 1), epoch: 1))
                    }))
            let standing = [key(first, "👍"), key(second, "🎉"), key(second, "🦀")]
            try await node.database.run(
                LaneStatements.addReactions(
                    standing.map { ReactionFold.Addition(key: $0, animated: false, seq: 2) }))
            let clear = ReactionFold.Clear(channelID: guild.channel, messageID: second, emoji: nil)
            let voids: [EventSubject] = [
                .reaction(key(first, "🦊"), animated: false), .reaction(key(first, "👍"), animated: false),
                .clear(clear),
            ]
            try await node.database.run(
                LaneStatements.appendLog(
                    voids.enumerated().map { index, subject in
                        LoggedEntry(voidIn: guild.channel, seq: Int64(index + 3), epoch: 1, about: subject)
                    }))
            let client = try await node.connect(owner)
            try await node.say("next", in: guild.channel, as: owner)
            func told(_ kind: EventKind) -> Set<String> {
                Set(
                    client.dispatches.filter { $0.kind == kind }.compactMap {
                        $0.body["emoji"]?["name"]?.stringValue
                    })
            }
            await client.until { dispatches, _, _ in
                dispatches.count { $0.kind == .messageReactionAdd } == 3
                    && dispatches.contains { $0.kind == .messageReactionRemove }
                    && dispatches.contains { $0.kind == .messageCreate }
            }
            #expect(told(.messageReactionAdd) == ["👍", "🎉", "🦀"])
            #expect(told(.messageReactionRemove) == ["🦊"])
            // The owner after that has nothing to tell.
            _ = try await node.realtime.perform(
                ChannelCommand(caller: owner, operation: .events(after: 0, limit: 10, epoch: nil)), on: guild.channel)
            let left = try await Channels(node.database).unansweredVoids(of: guild.channel)
            #expect(left.reactions == [:] && left.clears[clear] == Set(standing.suffix(2)))
        }
    }

    /// A node that has started often mints far ahead of the clock; whoever owns the channel next goes on from there.
    @Test func aChannelWhoseLastIDIsFarAheadTakesMessagesAtOnce() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let ahead = Snowflake.lowest(atMilliseconds: Timestamp.now().milliseconds + 3_600_000)
            try await node.database.run(
                LaneStatements.insertMessages([
                    MessageRow(
                        Message(
                            id: ahead, channelID: guild.channel, guildID: guild.id, authorID: owner.userID,
                            content: "of a node that starts often", seq: 1, epoch: 1))
                ]))
            let said = try await node.say("next", in: guild.channel, as: owner)
            #expect(try #require(said["id"]?.snowflakeValue) > ahead)
        }
    }
}
