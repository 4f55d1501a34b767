import FluxSecurity
import NIOCore
import NIOHTTP1
import NIOPosix

/// One HTTP/1.1 connection to an object storage. For one request at a time.
///
/// Every step has a deadline; after it the connection is closed and the step fails.
final class ClientConnection: Sendable {
    private let channel: any NIOCore.Channel
    private let handler: NIOLoopBound<PullHandler>
    private static let stepTimeout = TimeAmount.seconds(30)

    private init(channel: any NIOCore.Channel, handler: NIOLoopBound<PullHandler>) {
        self.channel = channel
        self.handler = handler
    }

    deinit { channel.close(promise: nil) }

    /// Opens a connection, with TLS if there is a context for it.
    static func open(
        host: String, port: Int, tls: TLSContext?, group: any EventLoopGroup
    ) async throws -> ClientConnection {
        try await ClientBootstrap(group: group)
            .connectTimeout(.seconds(10))
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(tls.makeHandler(serverName: host)) }
                    try pipeline.addHTTPClientHandlers()
                    let handler = PullHandler()
                    try pipeline.addHandler(handler)
                    return ClientConnection(
                        channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
                }
            }
    }

    /// Whether the connection still stands, as far as is known.
    var isOpen: Bool { channel.isActive }

    /// Sends a part of a request and returns when the socket has taken it.
    func send(_ part: HTTPClientRequestPart) async throws {
        let timeout = closeAfterTimeout()
        defer { timeout.cancel() }
        try await channel.writeAndFlush(part)
    }

    /// The next part of the response.
    func next() async throws -> HTTPClientResponsePart {
        let timeout = closeAfterTimeout()
        defer { timeout.cancel() }
        return try await channel.eventLoop.flatSubmit { [channel, handler] in
            let promise = channel.eventLoop.makePromise(of: HTTPClientResponsePart.self)
            handler.value.next(promise)
            return promise.futureResult
        }.get()
    }

    /// Closes the connection.
    func close() { channel.close(promise: nil) }

    private func closeAfterTimeout() -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: Self.stepTimeout) { [channel] in channel.close(promise: nil) }
    }
}
