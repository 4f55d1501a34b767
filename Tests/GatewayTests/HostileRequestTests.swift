import FluxFuzzing
import NIOCore
import NIOPosix
import Testing

@testable import FluxGateway

/// Requests that are meant to confuse or to hold up: on the client port, over real sockets.
@Suite struct HostileRequestTests {
    private static let hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

    /// What came until the server closed.
    private func answers(_ client: RawClient) async throws -> String {
        try await client.waitForClose()
        return try await client.wait { buffer in buffer.readString(length: buffer.readableBytes) }
    }

    /// Messages whose end two readers could see in different places: refused, and what stands behind them is not answered.
    @Test(arguments: [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "Content-Length: 3\r\nContent-Length: 5\r\n\r\n12345",
        "Content-Length: 3, 5\r\n\r\n12345",
        "Content-Length: +5\r\n\r\n12345",
        "Content-Length: -1\r\n\r\n12345",
        "Content-Length: 0x5\r\n\r\n12345",
        "Content-Length: 99999999999999999999\r\n\r\n12345",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0x5\r\n12345\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-5\r\n12345\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n123456\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n1\r\n",
        "X-A: b\u{0}c\r\nContent-Length: 0\r\n\r\n",
        "X\u{0}A: b\r\nContent-Length: 0\r\n\r\n",
    ])
    func whereARequestEndsIsNeverInDoubt(rest: String) async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send("POST /length HTTP/1.1\r\nHost: a\r\n" + rest + Self.hello)
            let text = try await answers(client)
            #expect(text.hasPrefix("HTTP/1.1 400 "), "\(text)")
            #expect(!text.contains("hello"), "\(text)")
            #expect(text.components(separatedBy: "HTTP/1.1 ").count == 2, "\(text)")
        }
    }

    /// A length in a GET, a body where none is usual, a chunk with an extension: odd, and clear.
    @Test func oddButClearRequestsAreServed() async throws {
        try await RunningPort.run { port in
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send("GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + Self.hello)
            #expect(try await client.response().body == "hello 127.0.0.1")
            #expect(try await client.response().body == "hello 127.0.0.1")
            try await client.send(
                "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\nT: z\r\n\r\n"
                    + Self.hello)
            #expect(try await client.response().body == "2")
            #expect(try await client.response().body == "hello 127.0.0.1")
            try await client.close()
        }
    }

    /// A byte now and then keeps a connection busy, and does not keep it open.
    @Test func aTrickleOfBytesBuysNoTime() async throws {
        try await RunningPort.run { port, _ in
            // Time enough for the complete heads below to arrive on a busy machine.
            port.limits.head = .seconds(3)
            port.limits.body = .milliseconds(300)
        } _: { port in
            for (start, status) in [
                ("GET /hello HTTP/1.1\r\n", ""),
                ("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", "HTTP/1.1 408 "),
                ("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 408 "),
            ] {
                let client = try await RawClient(port: port.port, group: port.group)
                try await client.send(start)
                var sent = 0
                // Without an end of its own: it is the server that ends it.
                while !client.isClosed {
                    let piece = start.contains("chunked") ? "1\r\nx\r\n" : sent.isMultiple(of: 2) ? "X" : "y"
                    do { try await client.send(piece) } catch { break }
                    sent += 1
                    try await Task.sleep(for: .milliseconds(20))
                }
                // It may have gone while a byte was on its way to it.
                try? await client.waitForClose()
                if !status.isEmpty {
                    let head = try await client.wait { buffer in buffer.readString(length: buffer.readableBytes) }
                    #expect(head.hasPrefix(status), "\(start): \(head)")
                }
            }
            let other = try await RawClient(port: port.port, group: port.group)
            try await other.send(Self.hello)
            #expect(try await other.response().body == "hello 127.0.0.1")
            try await other.close()
        }
    }

    /// Thousands of connections that send garbage: each is answered or closed, and the port serves on.
    @Test func garbageNeverWedgesThePort() async throws {
        try await RunningPort.run { port in
            var random = SeededGenerator(seed: 7230)
            let seeds = [
                Self.hello,
                "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            ].map { Array($0.utf8) }
            let alphabet = Array("\r\n :;,/?%\t0a\"".utf8) + [0, 0x0B, 0x7F, 0x80, 0xFF]
            for _ in 0..<(FuzzBudget.inputs / 100) {
                var bytes = seeds.randomElement(using: &random) ?? []
                for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: bytes[place] = alphabet.randomElement(using: &random) ?? 0
                    case 1: bytes.remove(at: place)
                    case 2: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
                    default: bytes.removeSubrange(place...)
                    }
                }
                let client = try await RawClient(port: port.port, group: port.group)
                // In two pieces, as the network may cut it.
                let cut = Int.random(in: 0...bytes.count, using: &random)
                try? await client.send(Array(bytes[..<cut]))
                try? await client.send(Array(bytes[cut...]))
                try? await client.channel.close(mode: .all)
            }
            let client = try await RawClient(port: port.port, group: port.group)
            try await client.send(Self.hello)
            #expect(try await client.response().body == "hello 127.0.0.1")
            try await client.close()
        }
    }

    // MARK: WebSocket

    private static let identify = ClientFrame.text(#"{"op":2,"d":{"token":"person"}}"#)

    private func connect(_ port: RunningPort, identified: Bool = true) async throws -> RawClient {
        let client = try await RawClient(port: port.port, group: port.group)
        try await client.upgrade()
        _ = try await client.payload()
        if identified {
            try await client.send(Self.identify)
            _ = try await client.payload()
        }
        return client
    }

    private static func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }

    /// Hostile values inside of well-formed payloads get the contract's close codes.
    @Test func hostilePayloadsAreClosedWithTheirCode() async throws {
        let deep = Self.nested(20_000)
        try await RunningPort.run { port in
            for (payload, code) in [
                (#"{"op":3,"d":{"a":\#(deep)}}"#, 4002), (#"{"op":3,"d":{},"x":\#(deep)}"#, 4002),
                (#"{"op":100,"d":{"nonce":"a","content":"\ud800"}}"#, 4002),
                (#"{"op":100,"d":{"nonce":"a","content":"\udc00\ud800"}}"#, 4002),
                (#"{"op":100,"d":{"nonce":"a","content":"\u00"}}"#, 4002),
                (#"{"op":"1","d":null}"#, 4002), (#"{"op":1.0,"d":null}"#, 4002), (#"{"op":1e0,"d":null}"#, 4002),
                (#"{"op":18446744073709551617,"d":null}"#, 4002), (#"{"op":-1,"d":null}"#, 4001),
                (#"{"op":9223372036854775807,"d":null}"#, 4001), (#"{"op":99,"d":null}"#, 4001),
                (#"{"op":1,"d":1e3}"#, 4002), (#"{"op":1,"d":18446744073709551615}"#, 4002),
                (#"{"d":{"op":1}}"#, 4002), ("\u{FEFF}{\"op\":1,\"d\":null}", 4002), ("null", 4002), ("1", 4002),
                (#"{"op":1,"d":null}{"op":1,"d":null}"#, 4002), (#"{"op":1,"d":null,}"#, 4002),
            ] as [(String, Int)] {
                let client = try await connect(port)
                try await client.send(.text(payload))
                #expect(try await client.closeCode() == code, "\(payload.prefix(80))")
                try await client.send(.close(nil))
                try await client.waitForClose()
            }
        }
    }

    @Test func fragmentsBeyondTheLimitAreClosed() async throws {
        try await RunningPort.run { port in
            let client = try await connect(port)
            let half = [UInt8](repeating: 0x20, count: 33_000)
            try await client.send(
                ClientFrame(opcode: 1, payload: half, isFinal: false), ClientFrame(opcode: 0, payload: half))
            #expect(try await client.closeCode() == 4002)
            // A header that promises more than the limit is refused before its payload comes.
            let other = try await connect(port)
            try await other.send([0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4])
            #expect(try await other.closeCode() == 4002)
        }
    }

    @Test func aLargePayloadMayComeByteByByte() async throws {
        try await RunningPort.run { port in
            let client = try await connect(port)
            let text = #"{"op":100,"d":{"nonce":"slow","content":"\#(String(repeating: "x", count: 3000))"}}"#
            let bytes = ClientFrame.text(text).bytes
            for start in stride(from: 0, to: bytes.count, by: 7) {
                try await client.send(Array(bytes[start..<min(bytes.count, start + 7)]))
            }
            #expect(try await client.payload() == #"{"op":101,"s":null,"t":null,"d":{"nonce":"slow"}}"#)
            try await client.close()
        }
    }

    /// Of two equal keys the last one counts, for the envelope as for the bodies; numbers beyond 2^53 stay what they are.
    @Test func duplicateKeysAndLargeNumbersMeanOneThing() async throws {
        try await RunningPort.run { port in
            let client = try await connect(port)
            try await client.send(.text(#"{"op":100,"d":{"nonce":"first","nonce":"last"}}"#))
            #expect(try await client.payload() == #"{"op":101,"s":null,"t":null,"d":{"nonce":"last"}}"#)
            try await client.send(.text(#"{"op":5,"d":1,"d":{"nonce":"x"},"op":100}"#))
            #expect(try await client.payload() == #"{"op":101,"s":null,"t":null,"d":{"nonce":"x"}}"#)
            try await client.send(.text(#"{"op":1,"d":9007199254740993}"#))
            #expect(try await client.payload() == #"{"op":11,"s":null,"t":null,"d":null}"#)
            try await client.close()
            let journal = port.sessions.journal.withLockedValue { $0 }
            #expect(journal.contains("heartbeat 9007199254740993"))
        }
    }

    /// Pings are answered, and a client that reads none of the answers costs a bounded number of bytes.
    @Test func aFloodOfPingsIsBounded() async throws {
        try await RunningPort.run { _, gateway in
            gateway.unsentByteLimit = 64 * 1024
            gateway.openingByteLimit = 64 * 1024
        } _: { port in
            let client = try await RawClient(port: port.port, group: port.group, receiveBuffer: 4096)
            try await client.upgrade()
            _ = try await client.payload()
            try await client.send(Self.identify)
            _ = try await client.payload()
            try await client.stopReading()
            let flood = (0..<200).flatMap { _ in
                ClientFrame(opcode: 9, payload: [UInt8](repeating: 7, count: 125)).bytes
            }
            var rounds = 0
            while !client.isClosed, rounds < 20_000 {
                rounds += 1
                do { try await client.send(flood) } catch { break }
            }
            #expect(rounds < 20_000)
            for _ in 0..<2_000 where !port.sessions.journal.withLockedValue({ $0.contains("detach nil") }) {
                try await Task.sleep(for: .milliseconds(5))
            }
            // It was closed without a code from the client: its session may be resumed.
            #expect(port.sessions.journal.withLockedValue { $0.contains("detach nil") })
        }
    }

    /// A client that does not read is closed at its bound in every mode; what is counted is what waits to be sent.
    @Test(arguments: ["", "&compress=zlib-stream", "&batch=1", "&compress=zlib-stream&batch=1"])
    func aReaderBeyondItsBoundIsClosedInEveryMode(mode: String) async throws {
        try await RunningPort.run { _, gateway in
            gateway.unsentByteLimit = 256 << 10
            gateway.openingByteLimit = 256 << 10
        } _: { port in
            let slow = try await RawClient(port: port.port, group: port.group, receiveBuffer: 4096)
            try await slow.upgrade("/?v=10&encoding=json" + mode)
            _ = try await slow.frame()
            try await slow.send(Self.identify)
            _ = try await slow.frame()
            try await slow.stopReading()
            var random = SeededGenerator(seed: 5)
            var sent = 0
            while !port.sessions.journal.withLockedValue({ $0.contains("detach nil") }), sent < 4_000 {
                // Hardly compresses: half of it is left.
                let noise = (0..<8_000).map { _ in UInt8.random(in: 0x23...0x5B, using: &random) }
                port.sessions.deliver(["\"\(String(decoding: noise, as: UTF8.self))\""])
                sent += 1
                if sent.isMultiple(of: 20) { try await Task.sleep(for: .milliseconds(10)) }
            }
            #expect(sent < 4_000)
            try await slow.startReading()
            try await slow.waitForClose()
        }
    }
}
