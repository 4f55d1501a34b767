import FluxCore
import Testing

@testable import FluxRealtime

/// Bodies that are well-formed JSON and wrong: what a channel and a guild say of them, and that nothing of them is shown.
@Suite struct HostileCommandTests {
    private func refusal(_ node: TestNode, _ body: JSON, in channel: ChannelID, as caller: Caller) async -> APIError? {
        do {
            _ = try await node.realtime.perform(
                ChannelCommand(caller: caller, operation: .send(attachments: []), body: body), on: channel)
            return nil
        } catch { return error }
    }

    @Test func errorsAreNestedAsTheBodyWas() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let client = try await node.connect(owner)
            let cases: [(JSON, [String], String)] = [
                (["content": 5], ["content"], "STRING_TYPE_CONVERT"),
                (["content": .string(String(repeating: "x", count: 2001))], ["content"], "BASE_TYPE_MAX_LENGTH"),
                (["content": "a\u{0}b"], ["content"], "BASE_TYPE_INVALID"),
                (["content": "x", "nonce": "a\u{0}"], ["nonce"], "BASE_TYPE_INVALID"),
                (["content": "x", "nonce": 1.5], ["nonce"], "NONCE_TYPE_CONVERT"),
                (["content": "x", "tts": "yes"], ["tts"], "BOOLEAN_TYPE_CONVERT"),
                (["embeds": "x"], ["embeds"], "LIST_TYPE_CONVERT"),
                (["embeds": [["title": "t"], 7]], ["embeds", "1"], "DICT_TYPE_CONVERT"),
                (["content": "x", "message_reference": 5], ["message_reference"], "DICT_TYPE_CONVERT"),
                (
                    ["content": "x", "message_reference": [:]], ["message_reference", "message_id"],
                    "BASE_TYPE_REQUIRED"
                ),
                (
                    ["content": "x", "message_reference": ["message_id": "abc"]], ["message_reference", "message_id"],
                    "NUMBER_TYPE_COERCE"
                ),
                (
                    ["content": "x", "message_reference": ["message_id": "175928847299117063"]], ["message_reference"],
                    "REPLIES_UNKNOWN_MESSAGE"
                ),
                (["content": "x", "sticker_ids": ["1", "x"]], ["sticker_ids", "1"], "NUMBER_TYPE_COERCE"),
            ]
            for (body, path, code) in cases {
                let error = try #require(await refusal(node, body, in: guild.channel, as: owner), "\(body)")
                #expect(error.status == 400 && error.code == 50035)
                var json = try JSON.parse(error.encoded())["errors"]
                for key in path { json = json?[key] }
                #expect(json?["_errors"]?.arrayValue?.first?["code"]?.stringValue == code, "\(body): \(error)")
            }
            #expect(await refusal(node, [:], in: guild.channel, as: owner)?.code == 50006)
            #expect(await refusal(node, ["content": " \n\u{2003}"], in: guild.channel, as: owner)?.code == 50006)
            #expect(await refusal(node, [], in: guild.channel, as: owner)?.code == 50035)
            // Nothing of all this was shown, and the next number is the first.
            let said = try await node.say("end", in: guild.channel, as: owner)
            #expect(said["seq"]?.intValue == 1)
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .messageCreate } }
            #expect(client.sequences(of: guild.channel) == [1])
        }
    }

    @Test func idsAreNumbersOf64BitsHoweverTheyAreWritten() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            var ids: [MessageID] = []
            for number in 0..<3 {
                ids.append(
                    try #require(try await node.say("\(number)", in: guild.channel, as: owner)["id"]?.snowflakeValue))
            }
            #expect(ids[0].rawValue > 1 << 53)
            // As numbers, as libraries send them: an id read as a double would be another message.
            let reply = try await node.realtime.perform(
                ChannelCommand(
                    caller: owner, operation: .send(attachments: []),
                    body: [
                        "content": "r", "message_reference": ["message_id": .number(.integer(Int64(ids[2].rawValue)))],
                    ]),
                on: guild.channel)
            #expect(try JSON.parse(reply.body)["message_reference"]?["message_id"]?.snowflakeValue == ids[2])
            _ = try await node.realtime.perform(
                ChannelCommand(
                    caller: owner, operation: .bulkDelete,
                    body: ["messages": [.number(.integer(Int64(ids[0].rawValue))), .string(ids[1].description)]]),
                on: guild.channel)
            let page = try await node.realtime.perform(
                ChannelCommand(caller: owner, operation: .history(.newest, limit: 50)), on: guild.channel)
            #expect(try JSON.parse(page.body).arrayValue?.map { $0["id"]?.snowflakeValue }.contains(ids[0]) == false)
            #expect(try JSON.parse(page.body).arrayValue?.count == 2)
        }
    }

    @Test func namesOfAGuildWithNULAreRefusedAndNothingChanges() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            for (operation, body) in [
                (.update, ["name": "a\u{0}"]), (.createChannel, ["name": "c\u{0}"]), (.createRole, ["name": "r\u{0}"]),
                (.updateChannel(guild.channel), ["topic": "t\u{0}"]), (.updateOwnMember, ["nick": "n\u{0}"]),
            ] as [(GuildOperation, JSON)] {
                do throws(APIError) {
                    _ = try await node.realtime.perform(
                        GuildCommand(caller: owner, operation: operation, body: body), on: guild.id)
                    Issue.record("\(operation) was accepted")
                } catch {
                    #expect(error.status == 400 && error.code == 50035, "\(operation): \(error)")
                }
            }
        }
    }

    @Test func op100WithHostileBodiesIsAnsweredAndTheSessionLives() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let client = try await node.connect(owner, loop: 1)
            client.send("a\u{0}b", to: guild.channel, nonce: "n1")
            client.send(String(repeating: "👍", count: 2001), to: guild.channel, nonce: "n2")
            client.send("to nowhere", to: ChannelID(175_928_847_299_117_063), nonce: "n3")
            client.send("fine", to: guild.channel, nonce: "n4")
            await client.until { _, acknowledgements, _ in acknowledgements.count == 4 }
            var codes: [String: Int] = [:]
            for answer in client.acknowledgements {
                codes[answer["nonce"]?.stringValue ?? ""] = answer["error"]?["code"]?.intValue ?? 0
            }
            #expect(codes == ["n1": 50035, "n2": 50035, "n3": 10003, "n4": 0])
            #expect(client.closed == nil)
        }
    }
}
