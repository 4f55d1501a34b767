import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

@testable import FluxGateway

/// A TCP client that keeps what it receives, and can stop reading.
final class RawClient: Sendable {
    struct TimedOut: Error {
        var received: String
    }

    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let received = NIOLockedValueBox(ByteBuffer())
        let isClosed = NIOLockedValueBox(false)

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            received.withLockedValue { _ = $0.writeBuffer(&bytes) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed = event { isClosed.withLockedValue { $0 = true } }
            context.fireUserInboundEventTriggered(event)
        }

        func channelInactive(context: ChannelHandlerContext) {
            isClosed.withLockedValue { $0 = true }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    private let collector: Collector
    let channel: any Channel

    /// - Parameter keepsSending: the end of what the server sends does not end what this client sends.
    init(
        port: Int, group: any EventLoopGroup, receiveBuffer: Int? = nil, keepsSending: Bool = false
    ) async throws {
        let collector = Collector()
        self.collector = collector
        var bootstrap = ClientBootstrap(group: group)
            .channelOption(.allowRemoteHalfClosure, value: keepsSending)
            .channelInitializer { channel in channel.pipeline.addHandler(collector) }
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
        }
        channel = try await bootstrap.connect(host: "127.0.0.1", port: port).get()
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    func send(_ frames: ClientFrame...) async throws { try await send(frames.flatMap(\.bytes)) }

    func stopReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

    func startReading() async throws {
        try await channel.setOption(.autoRead, value: true).get()
        channel.read()
    }

    func close() async throws { try await channel.close() }

    var isClosed: Bool { collector.isClosed.withLockedValue { $0 } }

    /// How often to look, 5 ms apart, before something must be broken.
    static let attempts = 60_000

    /// Waits until `take` finds what it looks for at the front of what has been received.
    func wait<Result>(_ take: (inout ByteBuffer) throws -> Result?) async throws -> Result {
        for _ in 0..<Self.attempts {
            if let found = try collector.received.withLockedValue({ try take(&$0) }) { return found }
            if isClosed, let found = try collector.received.withLockedValue({ try take(&$0) }) { return found }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TimedOut(received: collector.received.withLockedValue { String(buffer: $0) })
    }

    /// Waits until the server will send no more.
    func waitForClose() async throws {
        for _ in 0..<Self.attempts {
            if isClosed { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TimedOut(received: collector.received.withLockedValue { String(buffer: $0) })
    }

    /// The next HTTP response: its head, and its body of the announced length (chunks are left as they are).
    func response() async throws -> (head: String, body: String) {
        try await wait { buffer in
            let text = String(buffer: buffer)
            guard let end = text.range(of: "\r\n\r\n") else { return nil }
            let head = String(text[..<end.lowerBound])
            var length = 0
            for line in head.lowercased().split(separator: "\r\n") where line.hasPrefix("content-length:") {
                length = Int(line.dropFirst(15).drop { $0 == " " }) ?? 0
            }
            let headLength = head.utf8.count + 4
            guard buffer.readableBytes >= headLength + length else { return nil }
            buffer.moveReaderIndex(forwardBy: headLength)
            return (head, buffer.readString(length: length) ?? "")
        }
    }

    // MARK: The gateway

    func upgrade(_ uri: String = "/?v=10&encoding=json", headers: String = "") async throws {
        try await send(
            "GET \(uri) HTTP/1.1\r\nHost: flux.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\(headers)\r\n")
        let head = try await response().head
        guard head.hasPrefix("HTTP/1.1 101 "), head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        else {
            throw TimedOut(received: head)
        }
    }

    func frame() async throws -> ServerFrame { try await wait { try ServerFrame.read(from: &$0) } }

    /// The next frame's text, which has to be a payload.
    func payload() async throws -> String {
        let frame = try await frame()
        guard frame.opcode == 1 else { throw ServerFrame.Malformed(reason: "opcode \(frame.opcode): \(frame.payload)") }
        return frame.text
    }

    /// The code of the close frame that comes next.
    func closeCode() async throws -> Int {
        let frame = try await frame()
        guard frame.opcode == 8 else { throw ServerFrame.Malformed(reason: "opcode \(frame.opcode): \(frame.text)") }
        return frame.payload.count < 2 ? 0 : Int(frame.payload[0]) << 8 | Int(frame.payload[1])
    }

    /// Upgrades, reads HELLO, identifies and reads READY.
    func identify(_ uri: String = "/?v=10&encoding=json") async throws {
        try await upgrade(uri)
        _ = try await payload()
        try await send(.text(#"{"op":2,"d":{"token":"person"}}"#))
        _ = try await payload()
    }
}
