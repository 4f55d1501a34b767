import FluxSecurity
import NIOCore
import Testing

@testable import FluxGateway

/// HTTP on the client port, over real sockets.
@Suite struct ClientPortTests {
    @Test func requestsReachTheRouter() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            for _ in 0..<3 {
                try await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                let response = try await client.response()
                #expect(response.head.hasPrefix("HTTP/1.1 200 "))
                #expect(response.body == "hello 127.0.0.1")
            }
            try await client.close()
        }
    }

    @Test func theClientsAddressCannotBeForged() async throws {
        let request = "GET /hello HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\n\r\n"
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send(request)
            #expect(try await client.response().body == "hello 127.0.0.1")
            try await client.close()
        }
        let proxies = try #require(TrustedProxies(["127.0.0.0/8"]))
        try await RunningPort.run { port, _ in
            port.trustedProxies = proxies
        } _: { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send(request)
            #expect(try await client.response().body == "hello 7.7.7.7")
            try await client.close()
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send(
                "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345"
                    + "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
                    + "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                    + "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(try await client.response().body == "5")
            #expect(try await client.response().body == "hello 127.0.0.1")
            #expect(try await client.response().body == "3")
            let last = try await client.response().head
            #expect(last.hasPrefix("HTTP/1.1 404 "))
            #expect(last.lowercased().contains("connection: close"))
            try await client.waitForClose()
        }
    }

    @Test func tooManyPipelinedRequestsAreRefused() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send(String(repeating: "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", count: 200))
            var answered = 0
            while true {
                let response = try await client.response()
                if response.head.hasPrefix("HTTP/1.1 400 ") { break }
                answered += 1
            }
            #expect(answered < 200)
            try await client.waitForClose()
        }
    }

    @Test func malformedAndOversizeHeadsAreAnswered() async throws {
        try await RunningPort.run { port in
            let long = String(repeating: "x", count: 17_000)
            let many = (0..<101).map { "X-\($0): y\r\n" }.joined()
            let wide = (0..<5).map { "X-\($0): \(String(repeating: "z", count: 8000))\r\n" }.joined()
            for (request, status) in [
                ("GARBAGE\r\n\r\n", 400), ("GET / HTTP/9.9\r\n\r\n", 400),
                ("GET /hello HTTP/1.1\r\nBad Header: x\r\n\r\n", 400),
                ("GET /hello HTTP/1.1\r\nA: \(long)\r\n\r\n", 431), ("GET /hello HTTP/1.1\r\n\(many)\r\n", 431),
                ("GET /hello HTTP/1.1\r\n\(wide)\r\n", 431), ("GET /\(long)\(long) HTTP/1.1\r\n\r\n", 431),
                ("POST /length HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
            ] {
                let client = try await RawClient(port: port.port, group: port.group)
                try await client.send(request)
                let response = try await client.response()
                #expect(response.head.hasPrefix("HTTP/1.1 \(status) "), "\(request.prefix(60)): \(response.head)")
                #expect(response.head.contains("content-type: application/json\r\n"))
                try await client.waitForClose()
            }
        }
    }

    @Test func aBadRequestBehindAGoodOneWaitsItsTurn() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGARBAGE\r\n\r\n")
            #expect(try await client.response().body == "hello 127.0.0.1")
            #expect(try await client.response().head.hasPrefix("HTTP/1.1 400 "))
            try await client.waitForClose()
        }
    }

    @Test func slowHeadsAndBodiesAreCutOff() async throws {
        try await RunningPort.run { port, _ in
            port.limits.head = .milliseconds(200)
        } _: { port in
            let idle = try await RawClient(port: port.port, group: port.group)
            try await idle.waitForClose()
            let slow = try await RawClient(port: port.port, group: port.group)
            // On a busy machine even this much may come too late.
            try? await slow.send("GET /hello HTTP/1.1\r\nHost:")
            try await slow.waitForClose()
        }
        try await RunningPort.run { port, _ in
            port.limits.body = .milliseconds(200)
        } _: { port in
            let body = try await RawClient(port: port.port, group: port.group)
            try await body.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12")
            #expect(try await body.response().head.hasPrefix("HTTP/1.1 408 "))
            try await body.waitForClose()
        }
    }

    @Test func aRequestThatIsCutOffIsNeverTakenForWhole() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12")
            try await client.channel.close(mode: .output)
            #expect(try await client.response().head.hasPrefix("HTTP/1.1 400 "))
            try await client.waitForClose()
        }
    }

    @Test func aRefusalReachesAClientThatIsStillSending() async throws {
        try await RunningPort.run { port, _ in
            // Longer than the client can take, however busy the machine is.
            port.limits.linger = .minutes(5)
        } _: { port in
            let client = try await RawClient(port: port.port, group: port.group, keepsSending: true)
            try await client.send(
                "POST /refuse HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 50000000\r\n\r\n")
            try await client.send([UInt8](repeating: 1, count: 500_000))
            #expect(try await client.response().head.hasPrefix("HTTP/1.1 413 "))
            try await client.waitForClose()
            // More than the kernel keeps: the node goes on taking what it has no use for, and nothing of it meets a reset.
            try await client.send([UInt8](repeating: 1, count: 20_000_000))
            try await client.close()
        }
    }

    @Test func expectContinueIsAnswered() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send(
                "POST /length HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(try await client.response().head.hasPrefix("HTTP/1.1 100 "))
            try await client.send("ab")
            #expect(try await client.response().body == "2")
            try await client.close()
        }
    }

    @Test func foreignUpgradesAreAnsweredAndEndTheConnection() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send(
                "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n")
            let response = try await client.response()
            #expect(response.body == "hello 127.0.0.1")
            #expect(response.head.lowercased().contains("connection: close"))
            try await client.waitForClose()
        }
    }

    @Test func brokenHandshakesAreRefused() async throws {
        try await RunningPort.run { port in
            for (headers, status) in [
                ("Sec-WebSocket-Version: 13\r\n", 400),
                ("Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426),
            ] {
                let client = try await RawClient(port: port.port, group: port.group)
                try await client.send(
                    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\(headers)\r\n")
                let head = try await client.response().head
                #expect(head.hasPrefix("HTTP/1.1 \(status) "))
                if status == 426 { #expect(head.contains("sec-websocket-version: 13")) }
                try await client.waitForClose()
            }
        }
    }
}
