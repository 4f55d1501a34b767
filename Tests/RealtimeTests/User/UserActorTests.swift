import FluxCore
import FluxStore
import Testing

@testable import FluxRealtime

/// Friends, reading, settings and profiles over a real engine: what is answered, what both sides' clients are shown.
@Suite(.serialized) struct UserActorTests {
    private func people(_ node: TestNode) async throws -> (ada: Caller, bob: Caller) {
        (try await node.person("ada"), try await node.person("bob"))
    }

    @Test func friendsFromTheRequestToTheEnd() async throws {
        try await TestNode.run { node in
            let (ada, bob) = try await people(node)
            let (adas, bobs) = (try await node.connect(ada, loop: 0), try await node.connect(bob, loop: 1))
            try await node.act(.requestFriend(bob.userID), as: ada)
            await bobs.untilRelationshipEvents(1)
            #expect(bobs.bodies(.relationshipAdd).first?["should_notify"]?.boolValue == true)
            #expect(bobs.bodies(.relationshipAdd).first?["user"]?["username"] == "ada")
            try await node.act(.requestFriend(bob.userID), as: ada)  // stands already

            try await node.act(.setRelationship(ada.userID), as: bob)
            await adas.until(.presenceUpdate)
            await bobs.until(.presenceUpdate)
            #expect(adas.bodies(.presenceUpdate).first?["user"]?["id"]?.snowflakeValue == bob.userID)
            #expect(bobs.bodies(.presenceUpdate).first?["user"]?["id"]?.snowflakeValue == ada.userID)
            #expect(adas.bodies(.presenceUpdate).first?["guild_id"] == nil)
            let list = try await node.act(.listRelationships, as: bob)
            #expect(list.arrayValue?.map { $0["type"] } == [1])

            try await node.act(.removeRelationship(ada.userID), as: bob)
            await adas.untilRelationshipEvents(3)
            try await node.outboxIsEmpty()
            #expect(adas.relationshipEvents == ["+4", "+1", "-1"])
            #expect(bobs.relationshipEvents == ["+3", "+1", "-1"])
            #expect(adas.count(.presenceUpdate) == 1 && bobs.count(.presenceUpdate) == 1)
            #expect(try await node.act(.listRelationships, as: ada) == [])
        }
    }

    @Test func aBlockIsInForceWhenItIsAnswered() async throws {
        try await TestNode.run { node in
            let (ada, bob) = try await people(node)
            let (adas, bobs) = (try await node.connect(ada, loop: 0), try await node.connect(bob, loop: 1))
            try await node.befriend(ada, bob)
            let channel = try await node.direct(bob, with: ada)
            try await node.say("hello", in: channel, as: bob)

            try await node.act(.setRelationship(bob.userID), ["type": 2], as: ada)
            await #expect(throws: APIError.cannotMessageUser) { try await node.say("still", in: channel, as: bob) }
            await #expect(throws: APIError.cannotMessageUser) { try await node.say("not", in: channel, as: ada) }
            try await node.outboxIsEmpty()
            await #expect(throws: APIError.friendRequestBlocked) {
                try await node.act(.requestFriend(ada.userID), as: bob)
            }
            // What either does now is not shown to the other.
            try await node.act(.updateSettings, ["status": "idle"], as: ada)
            try await node.act(.updateSettings, ["status": "idle"], as: bob)
            try await node.act(.removeRelationship(bob.userID), as: ada)
            try await node.outboxIsEmpty()
            try await node.act(.setNote(ada.userID), ["note": "end"], as: bob)
            await bobs.until(.userNoteUpdate)
            #expect(adas.relationshipEvents == ["+4", "+1", "+2", "-2"])
            #expect(bobs.relationshipEvents == ["+3", "+1", "-1"])
            #expect(adas.count(.presenceUpdate) == 1 && bobs.count(.presenceUpdate) == 1)
            // A DM that was blocked opens again as soon as it has read so.
            while (try? await node.say("again", in: channel, as: bob)) == nil { await Task.yield() }
        }
    }

    @Test func presenceGoesToFriendsAndAnInvisibleOneIsOffline() async throws {
        try await TestNode.run { node in
            let (ada, bob) = try await people(node)
            try await node.befriend(ada, bob)
            let adas = try await node.connect(ada, loop: 0)
            #expect(adas.ready["presences"] == [])
            let bobs = try await node.connect(bob, loop: 1)
            await adas.until(.presenceUpdate)
            #expect(bobs.ready["presences"]?.arrayValue?.first?["user"]?["id"]?.snowflakeValue == ada.userID)

            let status: JSON = ["status": "dnd", "custom_status": ["text": "busy"]]
            try await node.act(.updateSettings, status, as: bob)
            await adas.until(.presenceUpdate, count: 2)
            let shown = try #require(adas.bodies(.presenceUpdate).last)
            #expect(shown["status"] == "dnd")
            #expect(shown["activities"]?.arrayValue?.first?["state"] == "busy")
            #expect(shown["activities"]?.arrayValue?.first?["name"] == "Custom Status")

            try await node.act(.updateSettings, ["status": "invisible"], as: bob)
            await adas.until(.presenceUpdate, count: 3)
            let hidden = try #require(adas.bodies(.presenceUpdate).last)
            #expect(hidden["status"] == "offline" && hidden["activities"] == [] && hidden["client_status"] == [:])
            let again = try await node.connect(ada, loop: 1)
            #expect(again.ready["presences"] == [])
        }
    }

    @Test func aCustomStatusThatEndsIsTakenBackByItself() async throws {
        try await TestNode.run { node in
            let (ada, bob) = try await people(node)
            try await node.befriend(ada, bob)
            let adas = try await node.connect(ada)
            _ = try await node.connect(bob, loop: 1)
            let end = Timestamp(microseconds: Timestamp.now().microseconds + 300_000)
            let status: JSON = ["custom_status": ["text": "soon over", "expires_at": .string(end.iso8601)]]
            try await node.act(.updateSettings, status, as: bob)
            await adas.until { dispatches, _, _ in
                let shown = dispatches.filter { $0.kind == .presenceUpdate }.map { $0.body["activities"] }
                return shown.count >= 3 && shown.last == [] && shown.contains { $0 != [] }
            }
        }
    }

    @Test func acksAndReceipts() async throws {
        try await TestNode.run { node in
            let (ada, bob) = try await people(node)
            let channel = try await node.direct(ada, with: bob)
            let adas = try await node.connect(ada, loop: 0)
            let (bobs, second) = (try await node.connect(bob, loop: 1), try await node.connect(bob, loop: 0))
            var ids: [MessageID] = []
            for number in 1...4 {
                let message = try await node.say("m\(number)", in: channel, as: ada)
                ids.append(try #require(message["id"]?.snowflakeValue))
            }
            let answer = try await node.act(.acknowledge(channel, ids[1]), as: bob)
            #expect(answer == ["token": .null])
            await second.until(.messageAck)
            await adas.until(.readReceipt)
            #expect(second.bodies(.messageAck).first?["message_id"]?.snowflakeValue == ids[1])
            let receipt = try #require(adas.bodies(.readReceipt).first)
            #expect(receipt["channel_id"]?.snowflakeValue == channel)
            #expect(receipt["user_id"]?.snowflakeValue == bob.userID)
            #expect(receipt["message_id"]?.snowflakeValue == ids[1])
            #expect(receipt["seq"]?.intValue == 2)
            #expect(bobs.count(.readReceipt) == 0)

            // Two more at once: the latest is told, once.
            let (before, newest) = (ids[2], ids[3])
            async let third = node.act(.acknowledge(channel, before), as: bob)
            async let fourth = node.act(.acknowledge(channel, newest), as: bob)
            _ = try await (third, fourth)
            await adas.until { dispatches, _, _ in
                dispatches.last { $0.kind == .readReceipt }?.body["seq"]?.intValue == 4
            }
            let listed = try await node.act(.receipts(channel), as: ada)
            #expect(listed.arrayValue?.map { $0["message_id"]?.snowflakeValue } == [ids[3]])
            #expect(try await node.act(.receipts(channel), as: bob) == [])

            try await node.act(.updateSettings, ["read_receipts": false], as: bob)
            #expect(try await node.act(.receipts(channel), as: ada) == [])
        }
    }

    @Test func aGroupConversationReachesEverybodyInIt() async throws {
        try await TestNode.run { node in
            let (ada, bob) = try await people(node)
            let (carol, dave) = (try await node.person("carol"), try await node.person("dave"))
            try await node.befriend(ada, bob)
            try await node.befriend(ada, carol)
            let (bobs, carols) = (try await node.connect(bob, loop: 0), try await node.connect(carol, loop: 1))
            func body(_ people: Caller...) -> JSON {
                ["recipients": .array(people.map { .string($0.userID.description) })]
            }
            await #expect(throws: APIError.invalidRecipients) {
                try await node.act(.openDirectMessage, body(bob, dave), as: ada)
            }
            let group = try await node.act(.openDirectMessage, body(bob, carol), as: ada)
            let id = try #require(group["id"]?.snowflakeValue)
            #expect(group["type"] == 3 && group["owner_id"]?.snowflakeValue == ada.userID)
            #expect(group["recipients"]?.arrayValue?.map { $0["username"] } == ["bob", "carol"])
            await bobs.until(.channelCreate)
            await carols.until(.channelCreate)
            #expect(bobs.bodies(.channelCreate).first?["recipients"]?.arrayValue?.count == 2)
            try await node.say("hello all", in: id, as: carol)
            await bobs.until(.messageCreate)
            #expect(bobs.count(.channelCreate) == 1)
            #expect(try await node.connect(bob).ready["private_channels"]?.arrayValue?.count == 1)
            await #expect(throws: APIError.missingAccess) { try await node.say("me too", in: id, as: dave) }
        }
    }

    @Test func nobodyAcknowledgesWhatTheyAreNotIn() async throws {
        try await TestNode.run { node in
            let (ada, bob) = try await people(node)
            let guild = try await node.guild(of: ada)
            let channel = try await node.direct(ada, with: try await node.person("carol"))
            let (inGuild, inDirect) = (
                try await node.say("one", in: guild.channel, as: ada), try await node.say("two", in: channel, as: ada)
            )
            for (id, message) in [(guild.channel, inGuild), (channel, inDirect)] {
                let messageID = try #require(message["id"]?.snowflakeValue)
                await #expect(throws: APIError.missingAccess) {
                    try await node.act(.acknowledge(id, messageID), as: bob)
                }
            }
            await #expect(throws: APIError.unknownChannel) {
                try await node.act(.acknowledge(ChannelID(5), MessageID(6)), as: bob)
            }
            await #expect(throws: APIError.missingAccess) { try await node.act(.receipts(channel), as: bob) }
            await #expect(throws: APIError.wrongChannelKind) { try await node.act(.receipts(guild.channel), as: ada) }
            await #expect(throws: APIError.missingAccess) {
                try await node.act(.updateGuildSettings(guild.id), ["muted": true], as: bob)
            }
        }
    }

    @Test func aProfileIsShownToOneselfAndToGuilds() async throws {
        try await TestNode.run { node in
            let (ada, bob) = try await people(node)
            let guild = try await node.guild(of: ada)
            try await node.join(bob, guild, by: ada)
            let (adas, bobs) = (try await node.connect(ada, loop: 0), try await node.connect(bob, loop: 1))
            let own = try await node.act(.updateProfile, ["global_name": "Bobby", "bio": "about me"], as: bob)
            #expect(own["global_name"] == "Bobby" && own["bio"] == "about me")
            await bobs.until(.userUpdate)
            await adas.until(.guildMemberUpdate)
            #expect(bobs.bodies(.userUpdate).first?["bio"] == "about me")
            let member = try #require(adas.bodies(.guildMemberUpdate).first)
            #expect(member["user"]?["global_name"] == "Bobby" && member["joined_at"] != nil)
            #expect(member["user"]?["email"] == nil)

            await #expect(throws: APIError.self) { try await node.act(.updateProfile, ["username": "ada"], as: bob) }
            do { try await node.act(.updateProfile, ["username": "ADA"], as: bob) } catch let error as APIError {
                #expect(error.form?.entries.first?.code == "USERNAME_ALREADY_TAKEN")
            }
            let renamed = try await node.act(.updateProfile, ["username": "bob2"], as: bob)
            #expect(renamed["username"] == "bob2")
            #expect(try await Users(node.database).person(named: "bob2")?.id == bob.userID)
        }
    }

    @Test func botsHaveNothingOfThis() async throws {
        try await TestNode.run { node in
            let id = try node.realtime.mintID()
            try await Provision(node.database).insert(users: [User(id: id, username: "robot", isBot: true)])
            let robot = Caller(userID: id, isBot: true)
            for operation in [UserOperation.listRelationships, .settings, .acknowledgeMany, .note(id)] {
                await #expect(throws: APIError.onlyPeople) { try await node.act(operation, as: robot) }
            }
            let client = try await node.connect(robot)
            #expect(client.ready["relationships"] == nil && client.ready["read_state"] == nil)
            #expect(try await node.act(.updateProfile, ["username": "Robot Y"], as: robot)["username"] == "Robot Y")
        }
    }
}
