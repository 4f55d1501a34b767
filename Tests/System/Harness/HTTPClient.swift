import FluxCore
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix

/// A small HTTP/1.1 client for one origin and one credential. Connections are kept and used again; requests may be made
/// side by side. An answer that does not come within the limit fails the request: only a hang reaches it.
final class HTTPClient: Sendable {
    /// An answer.
    struct Response: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let bytes: [UInt8]

        /// The body; null when there is none.
        var body: JSON { (try? JSON.parse(bytes)) ?? .null }
        var text: String { String(decoding: bytes, as: UTF8.self) }
        /// The error code of the contract, protocol 3.5.
        var code: Int? { body["code"]?.intValue }
    }

    /// The connection could not be made, or went before the answer was there. What became of the request is not known.
    struct ConnectionLost: Error, CustomStringConvertible {
        let description: String
    }

    private static let limit = TimeAmount.seconds(120)

    private let host: String
    private let port: Int
    private let authorization: String?
    private let idle = NIOLockedValueBox<[any NIOCore.Channel]>([])
    private let group: any EventLoopGroup

    init(
        host: String = "127.0.0.1", port: Int, token: String? = nil,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.host = host
        self.port = port
        authorization = token
        self.group = group
    }

    /// Makes a request. - Parameter path: with its query.
    func send(
        _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, headers extra: [(String, String)] = []
    ) async throws -> Response {
        var headers: HTTPHeaders = ["Host": "\(host):\(port)"]
        if let authorization { headers.add(name: "Authorization", value: authorization) }
        let bytes = body?.encoded() ?? []
        if body != nil { headers.add(name: "Content-Type", value: "application/json") }
        if !bytes.isEmpty || method != .GET { headers.add(name: "Content-Length", value: String(bytes.count)) }
        for (name, value) in extra { headers.add(name: name, value: value) }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)

        let channel = try await connection()
        let promise = channel.eventLoop.makePromise(of: Response.self)
        let limit = channel.eventLoop.scheduleTask(in: Self.limit) {
            promise.fail(HarnessError("no answer to \(method) \(path)"))
        }
        channel.write(ResponseReader.Request.begin(head, promise), promise: nil)
        // A connection that ended just now has no handlers any more: only the failed write tells of it.
        channel.writeAndFlush(ResponseReader.Request.body(ByteBuffer(bytes: bytes))).whenFailure { error in
            promise.fail(ConnectionLost(description: "the connection could not be written to: \(error)"))
        }
        let result = await Result { try await promise.futureResult.get() }
        limit.cancel()
        let response = try result.get()
        if channel.isActive, response.headers["Connection"].first?.lowercased() != "close" {
            idle.withLockedValue { $0.append(channel) }
        } else {
            channel.close(promise: nil)
        }
        return response
    }

    /// Closes what is kept.
    func close() {
        let kept = idle.withLockedValue { idle in
            defer { idle = [] }
            return idle
        }
        for channel in kept { channel.close(promise: nil) }
    }

    private func connection() async throws -> any NIOCore.Channel {
        while let channel = idle.withLockedValue({ $0.popLast() }) {
            if channel.isActive { return channel }
        }
        do {
            return try await ClientBootstrap(group: group).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(ResponseReader())
                }
            }.connect(host: host, port: port).get()
        } catch {
            throw ConnectionLost(description: "\(host):\(port) cannot be reached: \(error)")
        }
    }
}

/// Puts the answers to one connection's requests together, one after the other.
private final class ResponseReader: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Request
    typealias OutboundOut = HTTPClientRequestPart

    enum Request: Sendable {
        case begin(HTTPRequestHead, EventLoopPromise<HTTPClient.Response>)
        case body(ByteBuffer)
    }

    private var promise: EventLoopPromise<HTTPClient.Response>?
    private var head: HTTPResponseHead?
    private var body = ByteBuffer()

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .begin(let head, let answer):
            guard context.channel.isActive else { return answer.fail(Self.lost) }
            self.promise = answer
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let buffer):
            if buffer.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil) }
            context.write(wrapOutboundOut(.end(nil)), promise: promise)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var part):
            body.writeBuffer(&part)
        case .end:
            guard let head else { return }
            let response = HTTPClient.Response(
                status: Int(head.status.code), headers: head.headers, bytes: Array(body.readableBytesView))
            self.head = nil
            promise?.succeed(response)
            promise = nil
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(Self.lost)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(HTTPClient.ConnectionLost(description: "the connection failed: \(error)"))
        context.close(promise: nil)
    }

    private func fail(_ error: HTTPClient.ConnectionLost) {
        promise?.fail(error)
        promise = nil
    }

    private static let lost = HTTPClient.ConnectionLost(description: "the connection ended before the answer")
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
