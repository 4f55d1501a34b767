import FluxCore
import Testing

/// The real binary on free ports: a message goes in over each way and comes out over each way.
@Suite struct SmokeTests {
    @Test func messagesGoThroughARealNode() async throws {
        try await withNode { node in
            let population = try await Population.make(on: node, people: 2)
            let (alice, bob) = (population.people[0], population.people[1])
            let channel = try #require(population.channels.first)
            let listener = node.gateway(bob)
            let ready = try await listener.identify()
            #expect(ready.data["user"]?["id"]?.stringValue == bob.id)

            let client = node.client(alice)
            let answer = try await client.send(
                .POST, "/api/v10/channels/\(channel)/messages", ["content": "by REST", "nonce": "n1"])
            #expect(answer.status == 200)
            let sender = node.gateway(alice)
            try await sender.identify()
            let acknowledgement = try await sender.sendMessageAndWait("by socket", to: channel, nonce: "n2")
            #expect(acknowledgement.errorCode == nil)
            #expect(acknowledgement.seq == 2)

            try await listener.waitForMessages(2, in: channel)
            let heard = listener.messages(in: channel).map { $0.data["content"]?.stringValue }
            #expect(heard == ["by REST", "by socket"])
            let history = try await client.send(.GET, "/api/v10/channels/\(channel)/messages")
            #expect(
                history.body.arrayValue?.map { $0["content"]?.stringValue } == ["by socket", "by REST"])
            #expect(listener.violations == [])
            #expect(sender.violations == [])

            let direct = try await node.conversation(of: alice, with: bob)
            _ = try await sender.sendMessageAndWait("between us", to: direct, nonce: "n3")
            try await listener.waitForMessages(1, in: direct)
            #expect(try await node.stop() == .exit(0))
        }
    }

    @Test func aNodeComesBackOnItsPorts() async throws {
        try await withNode { node in
            let population = try await Population.make(on: node, people: 1)
            let channel = try #require(population.channels.first)
            let client = node.client(population.people[0])
            let first = try await client.send(
                .POST, "/api/v10/channels/\(channel)/messages",
                ["content": "before", "nonce": "n", "enforce_nonce": true])
            #expect(first.status == 200)
            let postmaster = try #require(node.postmaster)
            try await node.kill()
            try await node.restart()
            #expect(node.postmaster == postmaster, "the private Postgres was not adopted")
            let again = try await client.send(
                .POST, "/api/v10/channels/\(channel)/messages",
                ["content": "before", "nonce": "n", "enforce_nonce": true])
            #expect(again.body["id"]?.stringValue == first.body["id"]?.stringValue)
        }
    }
}
