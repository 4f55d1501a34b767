import FluxAPI
import FluxCore
import FluxRealtime
import FluxStore
import Foundation
import Testing

/// What every answer keeps to (protocol 3.3 to 3.5), seen from a socket.
@Suite struct ConventionTests {
    @Test(arguments: ["/api/v10", "/api/v9", "/api"]) func prefixesMeanTheSame(prefix: String) async throws {
        try await TestNode.run { node in
            let answer = try await node.client.send("GET", prefix + "/gateway", as: nil)
            #expect(answer.status == 200)
            #expect(answer.text == #"{"url":"ws://127.0.0.1:8080/"}"#)
            #expect(answer["content-type"] == "application/json")
            #expect(answer["via"] == "1.1 flux")
            #expect(answer["date"]?.hasSuffix(" GMT") == true)
        }
    }

    @Test func aPrefixIsAWholeSegment() async throws {
        try await TestNode.run { node in
            for path in ["/api/v100/gateway", "/api/v8/gateway", "/gateway/x", "/", "/api", "/api/v10"] {
                let answer = try await node.client.send("GET", path)
                #expect(answer.status == 404)
                #expect(answer.text == #"{"message":"404: Not Found","code":0}"#)
                #expect(answer["content-type"] == "application/json")
                #expect(answer["via"] == "1.1 flux")
            }
        }
    }

    @Test func nothingToSayIs204WithoutBodyOrType() async throws {
        try await TestNode.run { node in
            let answer = try await node.client.send("POST", "/api/v10/channels/5/typing")
            #expect(answer.status == 204)
            #expect(answer.body.isEmpty)
            #expect(answer["content-type"] == nil)
            #expect(answer["content-length"] == nil)
        }
    }

    @Test func credentialsAreAskedForFirst() async throws {
        try await TestNode.run { node in
            for credential in [nil, "person x"] {
                let answer = try await node.client.send("GET", "/api/v10/channels/nonsense", as: credential)
                #expect(answer.status == 401)
                #expect(answer.text == #"{"message":"401: Unauthorized","code":0}"#)
            }
            let forPeople = try await node.client.send("GET", "/api/v10/users/@me/channels", as: "bot 7")
            #expect(forPeople.status == 403)
            #expect(forPeople.text.contains("20001"))
            let forBots = try await node.client.send("GET", "/api/v10/gateway/bot", as: "person 7")
            #expect(forBots.status == 403)
            #expect(forBots.text.contains("20002"))
            #expect(try await node.client.send("GET", "/api/v10/gateway/bot", as: "bot 7").status == 200)
            #expect(node.engine.commands.isEmpty)
        }
    }

    @Test func headIsGetWithoutItsBody() async throws {
        try await TestNode.run { node in
            let get = try await node.client.send("GET", "/api/v10/gateway", as: nil)
            let head = try await node.client.send("HEAD", "/api/v10/gateway", as: nil)
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(head["content-length"] == String(get.body.count))
            let missing = try await node.client.send("HEAD", "/api/v10/nothing", as: nil)
            #expect(missing.status == 404)
            #expect(missing.body.isEmpty)
        }
    }

    @Test func optionsSaysWhatThereIsAndGrantsNothing() async throws {
        try await TestNode.run { node in
            let answer = try await node.client.send("OPTIONS", "/api/v10/users/@me", as: nil)
            #expect(answer.status == 204)
            #expect(answer["allow"]?.contains("PATCH") == true)
            #expect(!answer.fields.contains { $0.name.lowercased().hasPrefix("access-control") })
        }
    }

    @Test func idsInPathsMayBeEncodedAndMustBeIds() async throws {
        try await TestNode.run { node in
            #expect(try await node.client.send("GET", "/api/v10/users/%40me").status == 204)
            for bad in ["abc", "0", "-1", "9223372036854775808", "1%00", "%zz"] {
                let answer = try await node.client.send("GET", "/api/v10/channels/\(bad)")
                #expect(answer.status == 400, "\(bad)")
                #expect(answer.text.contains("50035"))
            }
            #expect(try await node.client.send("GET", "/api/v10/channels/9223372036854775807").status == 204)
        }
    }

    @Test func bodiesComeChunkedOrNotAtAll() async throws {
        try await TestNode.run { node in
            let json = Array(#"{"content":"hello"}"#.utf8)
            let sent = try await node.client.send(
                "POST", "/api/v10/channels/5/messages",
                as: "person 7", [("transfer-encoding", "chunked"), ("content-type", "application/json")],
                body: chunked(json, pieces: 7))
            #expect(sent.status == 204)
            let empty = try await node.client.send(
                "PUT", "/api/v10/channels/5/messages/6/reactions/%F0%9F%91%8D/@me",
                as: "person 7", [("content-type", "application/octet-stream"), ("content-length", "0")])
            #expect(empty.status == 204)
            let caller = Caller(userID: 7, isBot: false)
            #expect(
                node.engine.commands == [
                    .channel(
                        ChannelCommand(
                            caller: caller, operation: .send(attachments: []), body: ["content": "hello"]), 5),
                    .channel(
                        ChannelCommand(caller: caller, operation: .addReaction(6, Emoji(id: nil, name: "👍"))), 5),
                ])
        }
    }

    @Test func largeBodiesAreRefusedWhetherAnnouncedOrNot() async throws {
        try await TestNode.run { node in
            let large = [UInt8](repeating: UInt8(ascii: " "), count: 1 << 20 + 1)
            let announced = try await node.client.send(
                "POST", "/api/v10/channels/5/messages", as: "person 7", body: large)
            let chunkedAnswer = try await node.client.send(
                "POST", "/api/v10/channels/5/messages", as: "person 7", [("transfer-encoding", "chunked")],
                body: chunked(large, pieces: 100))
            for answer in [announced, chunkedAnswer] {
                #expect(answer.status == 413)
                #expect(answer.text.contains(#""code":40005"#))
            }
            let most = Array(#"{"content":""#.utf8) + [UInt8](repeating: 120, count: 1 << 20 - 14) + Array(#""}"#.utf8)
            #expect(most.count == 1 << 20)
            #expect(try await node.client.send("POST", "/api/v10/channels/5/messages", body: most).status == 204)
        }
    }

    @Test(arguments: ["{", "[1,]", "nope", "{\"a\":1}x", "\u{0}"]) func whatIsNotJSONIsSaidToBeNone(body: String)
        async throws
    {
        try await TestNode.run { node in
            let answer = try await node.client.send("POST", "/api/v10/channels/5/messages", json: body)
            #expect(answer.status == 400)
            #expect(answer.text.contains(#""code":50109"#))
            #expect(node.engine.commands.isEmpty)
        }
    }

    @Test func refusalsOfActorsComeThrough() async throws {
        var form = APIError.form(["content"], code: "BASE_TYPE_MAX_LENGTH", message: "Too long.")
        form.status = 400
        let cases: [(any Error, Int, String, String?)] = [
            (APIError.missingPermissions, 403, #"{"message":"Missing Permissions","code":50013}"#, nil),
            (form, 400, #""errors":{"content":{"_errors":[{"code":"BASE_TYPE_MAX_LENGTH""#, nil),
            (APIError.notCommitted, 503, "130000", "1"),
            (StoreError.unavailable("gone"), 503, #""code":0"#, "1"),
            (StoreError.overloaded, 503, "130000", "1"),
            (StoreError.corrupt("column"), 500, #"{"message":"500: Internal Server Error","code":0}"#, nil),
        ]
        for (error, status, text, retryAfter) in cases {
            try await TestNode.run(engine: FakeEngine { _ in throw error }) { node in
                let answer = try await node.client.send("GET", "/api/v10/channels/5")
                #expect(answer.status == status)
                #expect(answer.text.contains(text))
                #expect(answer["retry-after"] == retryAfter)
                #expect(answer["content-type"] == "application/json")
                #expect(answer["via"] == "1.1 flux")
            }
        }
    }

    @Test func reasonsAreDecodedAndCut() async throws {
        try await TestNode.run { node in
            _ = try await node.client.send(
                "DELETE", "/api/v10/guilds/3/members/4", as: "person 7",
                [("x-audit-log-reason", "so%20long%20%F0%9F%91%8B")])
            _ = try await node.client.send(
                "DELETE", "/api/v10/guilds/3/members/4", as: "person 7",
                [("x-audit-log-reason", String(repeating: "y", count: 600))])
            let reasons = node.engine.commands.map { command -> String? in
                if case .guild(let command, 3) = command { command.reason } else { nil }
            }
            #expect(reasons == ["so long 👋", String(repeating: "y", count: 512)])
        }
    }

    @Test func oneConnectionServesManyRequests() async throws {
        try await TestNode.run { node in
            let one = "GET /api/v10/gateway HTTP/1.1\r\nhost: a\r\n\r\n"
            let last = "GET /api/v10/gateway HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
            let answer = try await node.client.raw(Array((one + one + last).utf8))
            #expect(answer.text.components(separatedBy: "HTTP/1.1 200").count == 3)
        }
    }

    @Test func continueIsSentOnlyForBodiesThatAreWanted() async throws {
        try await TestNode.run { node in
            let wanted = try await node.client.send(
                "POST", "/api/v10/channels/5/messages", as: "person 7", [("expect", "100-continue")],
                body: Array("{}".utf8))
            #expect(wanted.status == 100)
            #expect(wanted.text.hasPrefix("HTTP/1.1 204"))
        }
    }

    @Test func brokenRequestsDoNotHarmTheServer() async throws {
        try await TestNode.run { (node: TestNode) async throws in
            for bytes in [
                "GET\r\n\r\n",
                "POST /api/v10/channels/5/messages HTTP/1.1\r\nhost: a\r\n"
                    + "authorization: person 7\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            ] {
                let answer = try? await node.client.raw(Array(bytes.utf8))
                #expect(answer == nil || answer?.status == 400)
            }
            #expect(try await node.client.send("GET", "/api/v10/gateway", as: nil).status == 200)
        }
    }

    /// RFC 9112, 2.2: empty lines before a request are no request.
    @Test func emptyLinesInFrontAreIgnored() async throws {
        try await TestNode.run { node in
            let request = "GET /api/v10/gateway HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
            let answer = try await node.client.raw(Array(("\r\n\r\n" + request).utf8))
            #expect(answer.status == 200)
        }
    }
}
