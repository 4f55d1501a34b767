import NIOCore
import NIOHTTP1

/// One connection to a node, kept and used again: one request at a time.
final class RESTConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    let target: Target
    /// Told when an answer is whole or the connection is gone.
    private let isFree: (RESTConnection, _ isUsable: Bool) -> Void
    /// Whether somebody is to be told. Until the connection is made, its end is told by the attempt to make it.
    var isPooled = false
    private var context: ChannelHandlerContext?
    private var promise: EventLoopPromise<RESTAnswer>?
    private var status = 0
    private var body = ByteBuffer()
    private var isKept = true
    private var hasEnded = false
    private var timeout: Scheduled<Void>?

    init(to target: Target, isFree: @escaping (RESTConnection, Bool) -> Void) {
        self.target = target
        self.isFree = isFree
    }

    /// Whether a request can be sent on it.
    var isUsable: Bool { !hasEnded && promise == nil && context != nil }

    /// Sends a request. - Parameter limit: after this time the connection is given up, and the request with it.
    func send(_ request: RESTRequest, within limit: TimeAmount, _ promise: EventLoopPromise<RESTAnswer>) {
        guard let context, isUsable else { return promise.fail(RESTFailure.unanswered) }
        self.promise = promise
        let body = request.body ?? []
        var headers: HTTPHeaders = ["Host": target.authority, "Authorization": request.token]
        if request.body != nil { headers.add(name: "Content-Type", value: "application/json") }
        if request.method != .GET { headers.add(name: "Content-Length", value: String(body.count)) }
        let head = HTTPRequestHead(version: .http1_1, method: request.method, uri: request.path, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !body.isEmpty { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        timeout = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in
            self?.context?.close(promise: nil)
        }
    }

    func close() { context?.close(promise: nil) }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            status = Int(head.status.code)
            isKept = head.isKeepAlive
            body.clear()
        case .body(var part):
            body.writeBuffer(&part)
        case .end:
            // 1xx answers stand before the answer.
            guard status >= 200, let promise else { return }
            self.promise = nil
            timeout?.cancel()
            let answer = RESTAnswer(status: status, body: Array(body.readableBytesView))
            if !isKept { context.close(promise: nil) }
            promise.succeed(answer)
            if isKept { isFree(self, true) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        timeout?.cancel()
        promise?.fail(RESTFailure.unanswered)
        promise = nil
        if isPooled { isFree(self, false) }
    }
}
