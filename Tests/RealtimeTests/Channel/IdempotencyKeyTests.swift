import FluxCluster
import FluxCore
import FluxStore
import FluxTestSupport
import Testing

@testable import FluxRealtime

/// The edge's own name for a request: the same request again is the same message, and clients neither see nor feel it (I4).
@Suite struct IdempotencyKeyTests {
    private func send(
        _ content: String, key: UInt64, nonce: String? = nil, in channel: ChannelID, as caller: Caller,
        on node: TestNode
    ) async throws -> JSON {
        var body = JSONObject([.init(key: "content", value: .string(content))])
        if let nonce { body["nonce"] = .string(nonce) }
        let reply = try await node.realtime.perform(
            ChannelCommand(
                caller: caller, idempotencyKey: key, operation: .send(attachments: []), body: .object(body)),
            on: channel)
        return try JSON.parse(reply.body)
    }

    @Test func aRequestThatIsMadeAgainIsOneMessageAlsoForTheNextOwner() async throws {
        let url = try await TestPostgres.shared.database().url
        let (owner, guild, first) = try await TestNode.run(url: url) { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let first = try await send("once", key: .max, in: guild.channel, as: owner, on: node)
            let again = try await send("once", key: .max, in: guild.channel, as: owner, on: node)
            #expect(again["id"] == first["id"])
            #expect(first["nonce"] == nil && again["nonce"] == nil)
            return (owner, guild, first)
        }
        try await TestNode.run(url: url) { node in
            let again = try await send("once", key: .max, in: guild.channel, as: owner, on: node)
            #expect(again["id"] == first["id"] && again["nonce"] == nil)
            let other = try await send("twice", key: 1, in: guild.channel, as: owner, on: node)
            #expect(other["id"] != first["id"])
            let stored = try await Messages(node.database).history(
                .newest, in: guild.channel, guildID: guild.id, limit: 10)
            #expect(stored.map(\.content) == ["twice", "once"])
        }
    }

    @Test func aClientsNonceMeansWhatItDidBefore() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let client = try await node.connect(owner)
            let first = try await send("a", key: 1, nonce: "n", in: guild.channel, as: owner, on: node)
            // Not enforced: another request of the client is another message, one of the edge is not.
            let second = try await send("b", key: 2, nonce: "n", in: guild.channel, as: owner, on: node)
            let repeated = try await send("b", key: 2, nonce: "n", in: guild.channel, as: owner, on: node)
            #expect(first["id"] != second["id"] && repeated["id"] == second["id"])
            #expect([first, second, repeated].allSatisfy { $0["nonce"] == "n" })
            // Enforced: the newest of the nonce, whatever the key.
            let enforced = try await node.say("c", in: guild.channel, as: owner, nonce: "n")
            #expect(enforced["id"] == second["id"])
            // A nonce that looks like a key is none.
            let lookalike = try await node.say("d", in: guild.channel, as: owner, nonce: "2")
            #expect(lookalike["id"] != second["id"])
            await client.until { dispatches, _, _ in dispatches.count { $0.kind == .messageCreate } == 3 }
            #expect(client.contents(of: guild.channel) == ["a", "b", "d"])
        }
    }

    /// The first try was carried out, and what its author may do has changed when it comes again.
    @Test func aRepeatIsAnsweredEvenIfItsAuthorMayNotSendAnyMore() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let member = try await node.person("member")
            let guild = try await node.guild(of: owner)
            try await node.join(member, guild, by: owner)
            let first = try await send("last words", key: 5, in: guild.channel, as: member, on: node)
            _ = try await node.realtime.perform(
                GuildCommand(caller: owner, operation: .kick(member.userID)), on: guild.id)
            let again = try await send("last words", key: 5, in: guild.channel, as: member, on: node)
            #expect(again["id"] == first["id"])
            await #expect(throws: APIError.self) {
                _ = try await send("more", key: 6, in: guild.channel, as: member, on: node)
            }
        }
    }
}
