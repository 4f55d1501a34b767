import FluxCore
import Testing

@testable import FluxRealtime

/// Sessions over a real engine: what they are shown, in which order, and that nothing is missing.
@Suite struct SessionTests {
    @Test func readyShowsGuildsAndMessagesFollowInOrder() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let client = try await node.connect(owner)
            let ready = try #require(client.dispatches.first)
            #expect(ready.kind == .ready)
            #expect(ready.body["guilds"]?.arrayValue?.first?["id"]?.snowflakeValue == guild.id)
            for number in 1...20 { try await node.say("m\(number)", in: guild.channel, as: owner) }
            await client.until { dispatches, _, _ in dispatches.filter { $0.kind == .messageCreate }.count == 20 }
            #expect(client.contents(of: guild.channel) == (1...20).map { "m\($0)" })
            #expect(client.sequences(of: guild.channel) == Array(1...20))
            #expect(client.broken == nil)
        }
    }

    @Test(arguments: [0, 1]) func aSessionBuiltWhileMessagesArriveMissesNone(loop: Int) async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let clients = try await withThrowingTaskGroup(of: [TestClient].self) { group in
                group.addTask {
                    for number in 1...200 { try await node.say("m\(number)", in: guild.channel, as: owner) }
                    return []
                }
                group.addTask {
                    var clients: [TestClient] = []
                    for _ in 0..<20 { clients.append(try await node.connect(owner, loop: loop)) }
                    return clients
                }
                var clients: [TestClient] = []
                for try await part in group { clients += part }
                return clients
            }
            for client in clients {
                // Wherever READY says that the channel stands, every later event follows.
                let ready = try #require(client.dispatches.first)
                let channel = ready.body["guilds"]?.arrayValue?.first?["channels"]?.arrayValue?.first
                let start = try #require(channel?["last_seq"]?.intValue)
                await client.until { dispatches, _, _ in
                    dispatches.last { $0.kind == .messageCreate }?.body["seq"]?.intValue == 200 || start == 200
                }
                #expect(client.sequences(of: guild.channel) == Array((start + 1)..<201))
                #expect(client.broken == nil)
            }
        }
    }

    @Test(arguments: [0, 1]) func aLostLinkIsResumedWithNothingLostOrTwice(onLoop loop: Int) async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let first = try await node.connect(owner, loop: 0)
            for number in 1...10 { try await node.say("m\(number)", in: guild.channel, as: owner) }
            await first.until { dispatches, _, _ in dispatches.filter { $0.kind == .messageCreate }.count >= 5 }
            await first.drop()
            let seen = first.lastSequence
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 11...60 { try await node.say("m\(number)", in: guild.channel, as: owner) }
                }
                let second = TestClient(node: node, caller: owner, loop: loop)
                try await second.resume(first.sessionID, after: seen)
                try await group.waitForAll()
                await second.until { dispatches, _, _ in
                    dispatches.contains { $0.body["content"]?.stringValue == "m60" }
                }
                #expect(second.dispatches.contains { $0.kind == .resumed })
                let known = first.contents(of: guild.channel) + second.contents(of: guild.channel)
                #expect(known == (1...60).map { "m\($0)" })
                #expect(second.broken == nil)
            }
        }
    }

    @Test func aSessionIsTakenUpWhileTheOldLinkLooksAlive() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let first = try await node.connect(owner)
            let second = TestClient(node: node, caller: owner, loop: 1)
            try await second.resume(first.sessionID, after: first.lastSequence)
            await first.until { _, _, closed in closed != nil }
            #expect(first.closed == .unknownError)
            let before = first.dispatches.count
            try await node.say("after", in: guild.channel, as: owner)
            await second.until { dispatches, _, _ in dispatches.contains { $0.kind == .messageCreate } }
            #expect(first.dispatches.count == before)
        }
    }

    @Test func anotherUsersSessionAndAForeignSequenceAreRefused() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let other = try await node.person("other")
            let client = try await node.connect(owner)
            await client.drop()
            let thief = TestClient(node: node, caller: other, loop: 0)
            await #expect(throws: SessionRefusal.invalidSession(resumable: false)) {
                try await thief.resume(client.sessionID, after: 1)
            }
            let ahead = TestClient(node: node, caller: owner, loop: 0)
            await #expect(throws: SessionRefusal.invalidSession(resumable: false)) {
                try await ahead.resume(client.sessionID, after: client.lastSequence + 1)
            }
        }
    }

    @Test func aCleanCloseEndsTheSession() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let client = try await node.connect(owner)
            await client.drop(closeCode: 1000)
            let again = TestClient(node: node, caller: owner, loop: 0)
            await #expect(throws: SessionRefusal.invalidSession(resumable: false)) {
                try await again.resume(client.sessionID, after: client.lastSequence)
            }
        }
    }

    @Test func acknowledgementsComeInTheOrderOfTheSends() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let client = try await node.connect(owner, loop: 1)
            for number in 1...100 {
                // Every tenth is refused at once, while those before it wait for their commit.
                client.send(number % 10 == 0 ? "" : "m\(number)", to: guild.channel, nonce: "n\(number)")
            }
            await client.until { _, acknowledgements, _ in acknowledgements.count == 100 }
            #expect(client.acknowledgements.compactMap { $0["nonce"]?.stringValue } == (1...100).map { "n\($0)" })
            let refused = client.acknowledgements.filter { $0["error"] != nil }
            #expect(refused.count == 10)
            #expect(refused.allSatisfy { $0["error"]?["code"]?.intValue == 50006 })
        }
    }

    @Test func aRepeatedNonceIsOneMessage() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let client = try await node.connect(owner)
            for _ in 1...5 { client.send("once", to: guild.channel, nonce: "same") }
            await client.until { _, acknowledgements, _ in acknowledgements.count == 5 }
            #expect(Set(client.acknowledgements.compactMap { $0["id"]?.stringValue }).count == 1)
            let again = try await node.say("once", in: guild.channel, as: owner, nonce: "same")
            #expect(again["id"]?.stringValue == client.acknowledgements.first?["id"]?.stringValue)
            try await node.say("end", in: guild.channel, as: owner)
            await client.until { dispatches, _, _ in dispatches.contains { $0.body["content"]?.stringValue == "end" } }
            #expect(client.contents(of: guild.channel) == ["once", "end"])
        }
    }
}
