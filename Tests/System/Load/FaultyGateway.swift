import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Stands between a client and a node and spoils one frame of a gateway connection, as no correct server would: so that a
/// test sees whether the client's checks see it. Everything else is passed on as it is.
final class FaultyGateway: Sendable {
    enum Fault: Sendable, CaseIterable {
        /// A MESSAGE_CREATE does not arrive.
        case drop
        /// One arrives twice.
        case double
        /// One arrives behind the one that follows it.
        case swap
        /// One names another message.
        case alterEvent
        /// An acknowledgement names another message.
        case alterAnswer
    }

    fileprivate struct State {
        var fault: Fault?
        /// How many frames of the fault's kind pass before it strikes.
        var countdown = 0
        var strikes = 0
    }

    fileprivate let state = NIOLockedValueBox(State())
    private let server: any NIOCore.Channel
    let port: Int

    var url: String { "http://127.0.0.1:\(port)" }
    var strikes: Int { state.withLockedValue(\.strikes) }

    private init(_ server: any NIOCore.Channel, port: Int) {
        self.server = server
        self.port = port
    }

    /// Begins to stand in for a node.
    static func start(before backend: Int) async throws -> FaultyGateway {
        let port = try FreePort.take()
        let box = NIOLockedValueBox<FaultyGateway?>(nil)
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                guard let gateway = box.withLockedValue(\.self) else { return client.close() }
                return gateway.connect(client, to: backend)
            }
            .bind(host: "127.0.0.1", port: port).get()
        let gateway = FaultyGateway(server, port: port)
        box.withLockedValue { $0 = gateway }
        return gateway
    }

    /// Spoils the frame of its kind that comes after so many others.
    func arm(_ fault: Fault, after count: Int) {
        state.withLockedValue {
            $0.fault = fault
            $0.countdown = count
        }
    }

    func stop() async throws { try await server.close() }

    private func connect(_ client: any NIOCore.Channel, to backend: Int) -> EventLoopFuture<Void> {
        ClientBootstrap(group: client.eventLoop).channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: backend)
            .flatMap { node in
                client.eventLoop.makeCompletedFuture {
                    try client.pipeline.syncOperations.addHandler(PassOn(to: node))
                    try node.pipeline.syncOperations.addHandler(SpoilingReader(to: client, of: self))
                }.flatMap {
                    client.setOption(.autoRead, value: true).and(node.setOption(.autoRead, value: true)).map { _ in }
                }
            }
    }
}

/// Passes on what a client sends.
private final class PassOn: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any NIOCore.Channel

    init(to other: any NIOCore.Channel) { self.other = other }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Passes on what the node sends, frame by frame once the connection is a WebSocket.
private final class SpoilingReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private enum Kind { case unknown, plain, socket }

    private let client: any NIOCore.Channel
    private let gateway: FaultyGateway
    private var kind = Kind.unknown
    private var received = ByteBuffer()
    /// The message that waits for the one behind it.
    private var held: ByteBuffer?

    init(to client: any NIOCore.Channel, of gateway: FaultyGateway) {
        self.client = client
        self.gateway = gateway
    }

    func channelInactive(context: ChannelHandlerContext) { client.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        if kind == .unknown { recognise() }
        switch kind {
        case .unknown: break
        case .plain:
            client.writeAndFlush(received, promise: nil)
            received.clear()
        case .socket:
            while let frame = nextFrame() { pass(frame) }
            client.flush()
            received.discardReadBytes()
        }
    }

    private func recognise() {
        let text = String(buffer: received)
        guard text.utf8.count >= 12 else { return }
        guard text.hasPrefix("HTTP/1.1 101") else {
            kind = .plain
            return
        }
        guard let end = text.range(of: "\r\n\r\n"),
            let head = received.readSlice(length: text[..<end.upperBound].utf8.count)
        else { return }
        client.write(head, promise: nil)
        kind = .socket
    }

    /// A whole frame with its header; the node's frames are not masked.
    private func nextFrame() -> ByteBuffer? {
        guard let second = received.getInteger(at: received.readerIndex + 1, as: UInt8.self) else { return nil }
        var (header, length) = (2, Int(second & 0x7F))
        if length == 126 {
            guard let wide = received.getInteger(at: received.readerIndex + 2, as: UInt16.self) else { return nil }
            (header, length) = (4, Int(wide))
        } else if length == 127 {
            guard let wide = received.getInteger(at: received.readerIndex + 2, as: UInt64.self) else { return nil }
            (header, length) = (10, Int(wide))
        }
        return received.readSlice(length: header + length)
    }

    private func pass(_ frame: ByteBuffer) {
        let fault = strike(on: frame)
        switch fault {
        case .drop: return
        case .double:
            client.write(frame, promise: nil)
            client.write(frame, promise: nil)
        case .swap:
            held = frame
            return
        case .alterEvent, .alterAnswer: client.write(altered(frame), promise: nil)
        case nil: client.write(frame, promise: nil)
        }
        // Behind an answer or a heartbeat's it would be in order still.
        if let late = held, Self.tellsOfMessage(frame) {
            held = nil
            client.write(late, promise: nil)
        }
    }

    private static func tellsOfMessage(_ frame: ByteBuffer) -> Bool {
        String(decoding: frame.readableBytesView, as: UTF8.self).contains("\"t\":\"MESSAGE_CREATE\"")
    }

    private static func answers(_ frame: ByteBuffer) -> Bool {
        String(decoding: frame.readableBytesView, as: UTF8.self).contains("\"op\":101")
    }

    private func strike(on frame: ByteBuffer) -> FaultyGateway.Fault? {
        gateway.state.withLockedValue { state in
            guard let fault = state.fault,
                fault == .alterAnswer ? Self.answers(frame) : Self.tellsOfMessage(frame)
            else { return nil }
            state.countdown -= 1
            guard state.countdown < 0 else { return nil }
            state.fault = nil
            state.strikes += 1
            return fault
        }
    }

    /// The frame with another last digit in the first id of its body.
    private func altered(_ frame: ByteBuffer) -> ByteBuffer {
        var frame = frame
        let mark = Array("\"id\":\"".utf8)
        let bytes = Array(frame.readableBytesView)
        guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }),
            let end = bytes[(start + mark.count)...].firstIndex(of: UInt8(ascii: "\""))
        else { return frame }
        let digit = bytes[end - 1] == UInt8(ascii: "9") ? UInt8(ascii: "1") : bytes[end - 1] + 1
        frame.setInteger(digit, at: frame.readerIndex + end - 1)
        return frame
    }
}
