import FluxCore
import FluxRealtime
import NIOCore
import Testing

@testable import FluxGateway

/// The gateway over real sockets, against sessions that only write down what they are told.
@Suite struct GatewayHandlerTests {
    @Test func theLifeOfAConnection() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.upgrade()
            #expect(try await client.payload() == #"{"op":10,"s":null,"t":null,"d":{"heartbeat_interval":41250}}"#)
            try await client.send(.text(#"{"op":1,"d":null}"#))
            #expect(try await client.payload() == #"{"op":11,"s":null,"t":null,"d":null}"#)
            // hikari sends binary frames.
            let identify = #"{"op":2,"d":{"token":"Bot bot","intents":513,"properties":{}}}"#
            try await client.send(ClientFrame(opcode: 2, payload: Array(identify.utf8)))
            #expect(try await client.payload() == #"{"op":0,"s":1,"t":"READY","d":{"v":10}}"#)
            try await client.send(.text(#"{"op":1,"d":1}"#), .text(#"{"op":3,"d":{}}"#), .text(#"{"op":8,"d":{}}"#))
            #expect(try await client.payload() == #"{"op":11,"s":null,"t":null,"d":null}"#)
            try await client.send(.text(#"{"op":100,"d":{"nonce":"n1"}}"#))
            #expect(try await client.payload() == #"{"op":101,"s":null,"t":null,"d":{"nonce":"n1"}}"#)
            try await client.send(ClientFrame(opcode: 9, payload: [1, 2]))
            #expect(try await client.frame() == ServerFrame(opcode: 10, payload: [1, 2]))
            try await client.send(.close(1000))
            #expect(try await client.closeCode() == 1000)
            try await client.waitForClose()
            let journal = port.sessions.journal.withLockedValue { $0 }
            #expect(
                journal == ["identify 8 intents 513", "heartbeat 1", "presence", "members", "send n1", "detach 1000"])
        }
    }

    @Test func anUpgradeMayFollowOrdinaryRequests() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.response().body == "hello 127.0.0.1")
            try await client.identify()
            for round in 0..<50 {
                try await client.send(.text(#"{"op":1,"d":\#(round)}"#))
                #expect(try await client.payload() == #"{"op":11,"s":null,"t":null,"d":null}"#)
            }
            try await client.send(.close(4000))
            #expect(try await client.closeCode() == 4000)
            try await client.waitForClose()
        }
    }

    @Test func framesMayComeRightBehindTheHandshake() async throws {
        try await RunningPort.run { port in
            for prefix in ["", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"] {
                let client = try await RawClient(port: port.port, group: port.group)
                let handshake =
                    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
                try await client.send(
                    Array((prefix + handshake).utf8) + ClientFrame.text(#"{"op":1,"d":null}"#).bytes
                        + ClientFrame.text(#"{"op":2,"d":{"token":"person"}}"#).bytes)
                if !prefix.isEmpty { #expect(try await client.response().body == "hello 127.0.0.1") }
                #expect(try await client.response().head.hasPrefix("HTTP/1.1 101 "))
                #expect(try await client.payload().hasPrefix(#"{"op":10"#))
                #expect(try await client.payload() == #"{"op":11,"s":null,"t":null,"d":null}"#)
                #expect(try await client.payload().contains("READY"))
                try await client.close()
            }
        }
    }

    @Test func theCookieOfAPageOfOurs() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.upgrade(headers: "Origin: http://flux.test\r\nCookie: a=b; flux_access=person\r\n")
            _ = try await client.payload()
            try await client.send(.text(#"{"op":2,"d":{"token":null}}"#))
            #expect(try await client.payload().contains("READY"))
            let foreign = try await RawClient(port: port.port, group: port.group)
            try await foreign.upgrade(headers: "Origin: http://evil.test\r\nCookie: flux_access=person\r\n")
            _ = try await foreign.payload()
            try await foreign.send(.text(#"{"op":2,"d":{}}"#))
            #expect(try await foreign.closeCode() == 4004)
            try await client.close()
        }
    }

    // MARK: Refusals

    @Test(arguments: [
        ("/?v=8", 4012), ("/?v=10&encoding=etf", 4002),
    ])
    func wrongQueriesAreClosed(uri: String, code: Int) async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.upgrade(uri)
            #expect(try await client.closeCode() == code)
            try await client.send(.close(UInt16(code)))
            try await client.waitForClose()
        }
    }

    @Test func wrongPayloadsAreClosed() async throws {
        let identify = #"{"op":2,"d":{"token":"person"}}"#
        try await RunningPort.run { port in
            for (payloads, code) in [
                (["x"], 4002), ([""], 4002), (["[]"], 4002), (["{}"], 4002), ([#"{"op":2}"#], 4002),
                ([#"{"op":2,"d":{"token":1}}"#], 4002),
                ([#"{"op":1,"d":"x"}"#], 4002), ([#"{"op":1,"d":-1}"#], 4002), ([#"[{"op":1,"d":1}]"#], 4002),
                ([#"{"op":2,"d":{"token":"wrong"}}"#], 4004), ([#"{"op":2,"d":{}}"#], 4004),
                ([#"{"op":2,"d":{"token":"down"}}"#], 4000),
                ([#"{"op":2,"d":{"token":"bot"}}"#], 4013), ([#"{"op":2,"d":{"token":"person","shard":[2,1]}}"#], 4010),
                ([#"{"op":3,"d":{}}"#], 4003), ([#"{"op":100,"d":{}}"#], 4003), ([#"{"op":5,"d":{}}"#], 4001),
                ([identify, identify], 4005), ([identify, #"{"op":3,"d":[]}"#], 4002),
                ([identify, #"{"op":100,"d":{}}"#], 4002),
                ([identify, #"{"op":3,"d":{"a":}}"#], 4002),
                ([#"{"op":6,"d":{"token":"person","session_id":"x","seq":-1}}"#], 4007),
            ] as [([String], Int)] {
                let client = try await RawClient(port: port.port, group: port.group)
                try await client.upgrade()
                _ = try await client.payload()
                for payload in payloads { try await client.send(.text(payload)) }
                var frame = try await client.frame()
                while frame.opcode == 1 { frame = try await client.frame() }
                #expect(frame.opcode == 8)
                #expect(frame.payload == [UInt8(code >> 8), UInt8(code & 0xFF)], "\(payloads): \(frame.payload)")
                try await client.send(.close(nil))
                try await client.waitForClose()
            }
        }
    }

    @Test func brokenFramesAreClosed() async throws {
        try await RunningPort.run { port in
            for (frame, code) in [
                (ClientFrame(opcode: 1, payload: [0x61], key: nil), 1002), (ClientFrame(opcode: 1, reserved: 4), 1002),
                (ClientFrame(opcode: 1, payload: [0xFF]), 1007), (ClientFrame(opcode: 0), 1002),
                (ClientFrame(opcode: 2, payload: Array(repeating: 0x20, count: 65_537)), 4002),
            ] {
                let client = try await RawClient(port: port.port, group: port.group)
                try await client.identify()
                try await client.send(frame)
                #expect(try await client.closeCode() == code)
                try await client.send(.close(nil))
                try await client.waitForClose()
            }
        }
    }

    @Test func tooManyPayloadsAreClosed() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.identify()
            for _ in 0..<120 { try await client.send(.text(#"{"op":3,"d":{}}"#)) }
            #expect(try await client.closeCode() == 4008)
            #expect(port.sessions.journal.withLockedValue { $0.filter { $0 == "presence" }.count } == 119)
        }
    }

    @Test func silentClientsAreClosed() async throws {
        // The client has that long to identify as well, which a busy machine may not grant it; then it gets longer.
        var interval = TimeAmount.milliseconds(400)
        while interval < .minutes(5), try await !aSilentClientIsClosed(after: interval) { interval = interval * 4 }
        #expect(interval < .minutes(5))
        try await RunningPort.run { _, gateway in
            gateway.identifyTimeout = .milliseconds(100)
        } _: { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.upgrade()
            _ = try await client.payload()
            #expect(try await client.closeCode() == 4009)
        }
    }

    /// - Returns: whether the client could identify before it had been silent for too long.
    private func aSilentClientIsClosed(after interval: TimeAmount) async throws -> Bool {
        var hasIdentified = true
        try await RunningPort.run { _, gateway in
            gateway.heartbeatInterval = interval
        } _: { port in
            let client = try await RawClient(port: port.port, group: port.group)
            do {
                try await client.identify()
            } catch {
                hasIdentified = false
                return
            }
            #expect(try await client.closeCode() == 4009)
            #expect(port.sessions.journal.withLockedValue { $0.last } == "detach nil")
        }
        return hasIdentified
    }

    @Test func anInvalidSessionMayIdentifyAnew() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.upgrade()
            _ = try await client.payload()
            try await client.send(.text(#"{"op":6,"d":{"token":"person","session_id":"gone","seq":5}}"#))
            #expect(try await client.payload() == #"{"op":9,"s":null,"t":null,"d":false}"#)
            try await client.send(.text(#"{"op":2,"d":{"token":"person"}}"#))
            #expect(try await client.payload().contains("READY"))
            port.sessions.resumeRefusal.withLockedValue { $0 = nil }
            let other = try await RawClient(port: port.port, group: port.group)
            try await other.upgrade()
            _ = try await other.payload()
            try await other.send(.text(#"{"op":6,"d":{"token":"person","session_id":"fake","seq":5}}"#))
            #expect(try await other.payload() == #"{"op":0,"s":6,"t":"RESUMED","d":{}}"#)
        }
    }

    @Test func payloadsBehindIdentifyWaitForTheSession() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.upgrade()
            _ = try await client.payload()
            try await client.send(
                .text(#"{"op":2,"d":{"token":"person"}}"#), .text(#"{"op":100,"d":{"nonce":"early"}}"#),
                .text(#"{"op":3,"d":{}}"#))
            let first = try await client.payload()
            let second = try await client.payload()
            #expect(Set([first.prefix(9), second.prefix(9)]) == [#"{"op":101"#, #"{"op":0,"s"#.prefix(9)])
            let journal = port.sessions.journal.withLockedValue { $0 }
            #expect(journal.suffix(2) == ["send early", "presence"])
        }
    }

    // MARK: Delivery

    private func bodies(_ count: Int, size: Int = 200) -> [String] {
        (0..<count).map { #"{"n":\#($0),"content":"\#(String(repeating: "x", count: size))"}"# }
    }

    /// Reads dispatches and checks that `s` goes on by one from `first` to `last`.
    private func expectDispatches(_ client: RawClient, _ range: ClosedRange<Int>) async throws {
        for sequence in range {
            let payload = try await client.payload()
            #expect(payload.hasPrefix(#"{"op":0,"s":\#(sequence),"#))
        }
    }

    @Test func everybodyGetsEverythingInOrder() async throws {
        try await RunningPort.run { port in
            var clients: [RawClient] = []
            for _ in 0..<20 {
                let client = try await RawClient(port: port.port, group: port.group)
                try await client.identify()
                clients.append(client)
            }
            for round in 0..<10 { port.sessions.deliver(bodies(100, size: round * 50)) }
            for client in clients { try await expectDispatches(client, 2...1001) }
        }
    }

    @Test func aSlowReaderLosesNothingWithinItsBound() async throws {
        try await RunningPort.run { _, gateway in
            gateway.unsentByteLimit = 64 << 20
        } _: { port in
            let client = try await RawClient(port: port.port, group: port.group, receiveBuffer: 4096)
            try await client.identify()
            try await client.stopReading()
            // More than the kernel's buffers take: the rest waits in the channel and behind it.
            for _ in 0..<200 { port.sessions.deliver(bodies(10, size: 10_000)) }
            try await client.send(.text(#"{"op":100,"d":{"nonce":"last"}}"#))
            try await port.sessions.waitFor("send last")
            try await client.startReading()
            var sequence = 2
            while sequence <= 2001 {
                let payload = try await client.payload()
                if payload.hasPrefix(#"{"op":101"#) { continue }
                #expect(payload.hasPrefix(#"{"op":0,"s":\#(sequence),"#))
                sequence += 1
            }
        }
    }

    @Test func aReaderBeyondItsBoundIsClosedAndTheOthersNoticeNothing() async throws {
        try await RunningPort.run { _, gateway in
            gateway.unsentByteLimit = 256 << 10
            gateway.openingByteLimit = 256 << 10
        } _: { port in
            let slow = try await RawClient(port: port.port, group: port.group, receiveBuffer: 4096)
            try await slow.identify()
            let fast = try await RawClient(port: port.port, group: port.group)
            try await fast.identify()
            try await slow.stopReading()
            var sent = 0
            while !port.sessions.journal.withLockedValue({ $0.contains("detach nil") }) {
                #expect(sent < 5_000)
                port.sessions.deliver(bodies(5, size: 10_000))
                sent += 5
                try await expectDispatches(fast, (sent - 3)...(sent + 1))
            }
            try await fast.send(.text(#"{"op":1,"d":null}"#))
            #expect(try await fast.payload() == #"{"op":11,"s":null,"t":null,"d":null}"#)
            try await slow.startReading()
            try await slow.waitForClose()
        }
    }

    @Test func compressedConnections() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            let inflate = InflateStream()
            func payload() async throws -> String {
                let frame = try await client.frame()
                #expect(frame.opcode == 2)
                #expect(frame.payload.suffix(4) == [0, 0, 0xFF, 0xFF])
                return String(decoding: try #require(inflate.read(frame.payload)), as: UTF8.self)
            }
            try await client.upgrade("/?v=10&encoding=json&compress=zlib-stream")
            #expect(try await payload() == #"{"op":10,"s":null,"t":null,"d":{"heartbeat_interval":41250}}"#)
            try await client.send(.text(#"{"op":2,"d":{"token":"person","compress":true}}"#))
            #expect(try await payload().contains("READY"))
            for round in 0..<5 {
                port.sessions.deliver(bodies(20, size: round * 1000))
                for index in 0..<20 {
                    #expect(try await payload().hasPrefix(#"{"op":0,"s":\#(2 + round * 20 + index),"#))
                }
            }
        }
    }

    @Test(arguments: [false, true]) func batchedConnections(isCompressed: Bool) async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            let inflate = InflateStream()
            var waiting: [JSON] = []
            var frames = 0
            func payload() async throws -> JSON {
                if waiting.isEmpty {
                    let frame = try await client.frame()
                    frames += 1
                    let bytes = isCompressed ? try #require(inflate.read(frame.payload)) : frame.payload
                    let document = try JSON.parse(bytes)
                    waiting = document.arrayValue ?? [document]
                    #expect((1...64).contains(waiting.count))
                }
                return waiting.removeFirst()
            }
            try await client.upgrade("/?v=10&batch=1" + (isCompressed ? "&compress=zlib-stream" : ""))
            #expect(try await payload()["d"]?["batch"] == true)
            try await client.send(.text(#"[{"op":1,"d":null},{"op":2,"d":{"token":"person"}}]"#))
            #expect(try await payload()["op"] == 11)
            #expect(try await payload()["t"] == "READY")
            frames = 0
            for _ in 0..<10 { port.sessions.deliver(bodies(50)) }
            for sequence in 2...501 { #expect(try await payload()["s"]?.intValue == sequence) }
            #expect(frames <= 100)
            try await client.send(.text("[" + (0..<65).map { _ in #"{"op":1,"d":null}"# }.joined(separator: ",") + "]"))
            #expect(try await client.closeCode() == 4002)
        }
    }

    @Test func reconnectAndClose() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.identify()
            port.sessions.onEach { $0.transport?.reconnect() }
            #expect(try await client.payload() == #"{"op":7,"s":null,"t":null,"d":null}"#)
            #expect(try await client.closeCode() == 4000)
            let other = try await RawClient(port: port.port, group: port.group)
            try await other.identify()
            port.sessions.onEach { $0.transport?.close(.authenticationFailed) }
            #expect(try await other.closeCode() == 4004)
            // It does not answer the close frame, and is not waited for for ever.
            try await other.waitForClose()
        }
    }
}

extension FakeSessions {
    /// Waits until the journal has the entry.
    func waitFor(_ entry: String) async throws {
        for _ in 0..<RawClient.attempts {
            if journal.withLockedValue({ $0.contains(entry) }) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw RawClient.TimedOut(received: journal.withLockedValue { $0.joined(separator: ", ") })
    }
}
