import FluxAPI
import FluxCore
import FluxRealtime
import Testing

/// Bodies, paths and queries that are meant to break a reader: the contract's refusals, over a real port.
@Suite struct HostileBodyTests {
    private static func nested(_ depth: Int, _ open: String, _ close: String) -> String {
        String(repeating: open, count: depth) + String(repeating: close, count: depth)
    }

    @Test func whatNoReaderTakesIsNotJSON() async throws {
        try await TestNode.run { node in
            for body in [
                Self.nested(100_000, "[", "]"), Self.nested(65, "[", "]"), Self.nested(100_000, "{\"a\":", "}"),
                String(repeating: "[", count: 500_000), #"{"content":"\ud800"}"#, #"{"content":"\udc00\ud800"}"#,
                #"{"content":"\ud83d\u0041"}"#, "\u{FEFF}{}", "{'content':'x'}", #"{"content":"a"# + "\n" + #"b"}"#,
                "NaN",
                "[01]", "{\"a\":1e}", "-", "1 2", #"{"a":"\x41"}"#, "/* x */{}",
            ] {
                let answer = try await node.client.send("POST", "/api/v10/channels/5/messages", json: body)
                #expect(answer.status == 400, "\(body.prefix(60))")
                #expect(answer.text.contains(#""code":50109"#), "\(body.prefix(60))")
                #expect(answer["content-type"] == "application/json")
            }
            let invalid = try await node.client.send(
                "POST", "/api/v10/channels/5/messages", as: "person 7",
                body: Array(#"{"content":""#.utf8) + [0xC3, 0x28] + Array("\"}".utf8))
            #expect(invalid.status == 400 && invalid.text.contains("50109"))
            #expect(node.engine.commands.isEmpty)
        }
    }

    @Test func whatIsOddButJSONReachesTheActorAsItIs() async throws {
        try await TestNode.run { node in
            let depth = Self.nested(62, "[", "]")
            for body in [
                #"{"messages":[9007199254740993,"9223372036854775807",18446744073709551615]}"#,
                #"{"messages":[1],"messages":[2,3]}"#, #"{"\u006dessages":["1"]}"#, #"{"x":\#(depth)}"#,
            ] {
                let answer = try await node.client.send("POST", "/api/v10/channels/5/messages/bulk-delete", json: body)
                #expect(answer.status == 204, "\(body)")
            }
            let bodies = node.engine.commands.map { command -> JSON? in
                if case .channel(let command, _) = command { command.body } else { nil }
            }
            let ids = bodies[0]?["messages"]?.arrayValue?.map(\.snowflakeValue)
            #expect(ids == [Snowflake(9_007_199_254_740_993), Snowflake(9_223_372_036_854_775_807), nil])
            #expect(bodies[1]?["messages"] == [2, 3])
            #expect(bodies[2]?["messages"] == ["1"])
        }
    }

    @Test func pathsAndQueriesThatAreNoneAreRefused() async throws {
        try await TestNode.run { node in
            for (path, status) in [
                ("/api/v10/channels/5%00", 400), ("/api/v10/channels/%FF", 400), ("/api/v10/channels/%2", 400),
                ("/api/v10/channels/18446744073709551616", 400), ("/api/v10/channels/-1", 400),
                ("/api/v10/channels/0x5", 400), ("/api/v10/channels/5%2F6", 400), ("/api/v10/channels/..%2f..", 400),
                ("/api/v10/channels/5/messages?limit=0", 400), ("/api/v10/channels/5/messages?limit=101", 400),
                ("/api/v10/channels/5/messages?limit=99999999999999999999", 400),
                ("/api/v10/channels/5/messages?before=-1", 400), ("/api/v10/channels/5/messages?before=1e3", 400),
                ("/api/v10/channels/5/messages?before=1&after=2", 400),
                ("/api/v10/channels/5/messages/6/reactions/%F0%9F%91/@me", 400),
                ("/api/v10/nowhere/%00/at/all", 404), ("/api/v10/../../etc/passwd", 404),
            ] {
                let answer = try await node.client.send("GET", path)
                #expect(
                    answer.status == status || (status == 400 && answer.status == 404),
                    "\(path): \(answer.status) \(answer.text)")
                #expect(answer["content-type"] == "application/json", "\(path)")
                let json = try JSON.parse(answer.body)
                #expect(json["message"]?.stringValue != nil && json["code"]?.intValue != nil)
                if answer.status == 400 { #expect(json["code"]?.intValue == 50035 && json["errors"] != nil, "\(path)") }
            }
            #expect(node.engine.commands.isEmpty)
        }
    }

    @Test func multipartIsRefusedWhereItIsNone() async throws {
        try await TestNode.run { node in
            func send(_ type: String, _ body: String) async throws -> TestResponse {
                try await node.client.send(
                    "POST", "/api/v10/channels/5/messages", as: "person 7", [("content-type", type)],
                    body: Array(body.utf8))
            }
            let form = "multipart/form-data; boundary=B"
            for (type, body) in [
                ("multipart/form-data", "--B--\r\n"), (form, ""), (form, "no form at all"), (form, "--B\r\n"),
                (form, "--B\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n{\"content\":\"x\"}"),
                (form, "--B\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n{\r\n--B--\r\n"),
                (
                    form,
                    "--B\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n" + Self.nested(70, "[", "]")
                        + "\r\n--B--\r\n"
                ),
                ("multipart/form-data; boundary=" + String(repeating: "b", count: 5000), "x"),
                (form, "--B\r\n" + String(repeating: "X: y\r\n", count: 10_000) + "\r\n\r\n--B--\r\n"),
            ] {
                let answer = try await send(type, body)
                // Too much of a header is too much, anything else is no form.
                let isLong = body.utf8.count > 50_000
                #expect(answer.status == (isLong ? 413 : 400), "\(body.prefix(80)): \(answer.status) \(answer.text)")
                #expect(answer["content-type"] == "application/json")
            }
            // The channel was asked whether it is there, and nothing was sent to it.
            let sent = node.engine.commands.filter { command in
                if case .channel(let command, _) = command, case .send = command.operation { true } else { false }
            }
            #expect(sent.isEmpty)
        }
    }

    @Test func aReasonAndANameWithNULDoNoHarm() async throws {
        try await TestNode.run { node in
            _ = try await node.client.send(
                "DELETE", "/api/v10/guilds/3/members/4", as: "person 7", [("x-audit-log-reason", "a%00b")])
            guard case .guild(let command, 3)? = node.engine.commands.last else {
                Issue.record("\(node.engine.commands)")
                return
            }
            #expect(command.reason == "ab")
            let answer = try await node.client.send(
                "POST", "/api/v10/users/@me/relationships", json: #"{"username":"a\u0000b"}"#)
            #expect(answer.status == 400 && answer.text.contains("80004"))
        }
    }
}
