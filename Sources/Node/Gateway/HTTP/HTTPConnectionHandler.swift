import DequeModule
import FluxSecurity
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// The guard between the HTTP codec and the router: limits, time-outs, client addresses, and the way to the gateway.
///
/// - One exchange at a time; pipelined requests wait here, a stated number of them, and the socket is not read meanwhile.
/// - Malformed heads are answered 400, oversize ones 431, slow ones 408; then the connection closes after lingering.
/// - The router sees exactly one `X-Forwarded-For`: the client's address as ``TrustedProxies`` found it.
/// - A request that is cut off ends in an error, so that half a body is never taken for a whole one.
/// - An upgrade on any request of the connection, not just the first (aiohttp reuses the connection of its last REST
///   call), takes the HTTP handlers out and puts a ``GatewayHandler`` in. The router's half of the pipeline is made with
///   the first ordinary request; where it exists it stays behind the gateway's handler, cut off and inert, because NIO
///   cannot remove it.
final class HTTPConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The router's end of a connection.
    typealias RouterChannel = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    private enum ConnectionError: Error {
        case requestCutOff
        case connectionClosing
    }

    private let trustedProxies: TrustedProxies
    private let limits: HTTPConnectionState.Limits
    private let isSecure: Bool
    private let gateway: Gateway
    private let router: EventLoopPromise<RouterChannel?>

    private var state: HTTPConnectionState
    private var hasRouter = false
    private var isUpgraded = false
    /// An accepted handshake whose request has not ended yet.
    private var handshake: (head: HTTPRequestHead, key: String)?
    private var waiting: Deque<HTTPServerRequestPart> = []
    private var waitingRequests = 0
    /// What a malformed request behind the current one is answered with, when its turn comes.
    private var waitingRefusal: HTTPResponseStatus?
    private var isReadHeldBack = false
    private var isInputClosed = false
    private var unwrittenResponses = 0
    private var isClosingWhenWritten = false
    private var timer: Scheduled<Void>?
    private var timerDeadline: NIODeadline?

    /// - Parameters:
    ///   - router: is given the router's channel at the first ordinary request, nil if there never is one.
    ///   - isSecure: TLS stands in front, which cannot close one direction alone.
    init(
        gateway: Gateway, trustedProxies: TrustedProxies, limits: HTTPConnectionState.Limits, isSecure: Bool,
        router: EventLoopPromise<RouterChannel?>
    ) {
        self.gateway = gateway
        self.trustedProxies = trustedProxies
        self.limits = limits
        self.isSecure = isSecure
        self.router = router
        state = HTTPConnectionState(limits: limits, openedAt: .now())
    }

    // MARK: The channel's life

    func handlerAdded(context: ChannelHandlerContext) {
        schedule(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        if !hasRouter { router.succeed(nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        if state.isReceiving, !isUpgraded { context.fireErrorCaught(ConnectionError.requestCutOff) }
        state.closed()
        waiting.removeAll()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isUpgraded { return }
        switch event {
        case ChannelEvent.inputClosed:
            isInputClosed = true
            if state.isFinished {
                close(context)
            } else if state.isReceiving || (waiting.isEmpty && state.finishAfterExchange()) {
                close(context)
            } else {
                context.fireUserInboundEventTriggered(event)
            }
        case is ChannelShouldQuiesceEvent:
            if state.finishAfterExchange() { finish(context) }
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isUpgraded, !state.isFinished else { return }
        guard let error = error as? HTTPParserError else {
            close(context)
            return
        }
        let status: HTTPResponseStatus =
            if case .headerOverflow = error { .requestHeaderFieldsTooLarge } else { .badRequest }
        if state.isBusy || !waiting.isEmpty {
            waitingRefusal = status
        } else {
            refuse(context, status)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !isUpgraded {
            state.writability(context.channel.isWritable, at: .now())
            schedule(context)
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !state.isFinished, !isUpgraded, !isClosingWhenWritten else { return }
        let part = unwrapInboundIn(data)
        guard state.isBusy || !waiting.isEmpty else {
            process(context, part)
            return
        }
        if case .head = part { waitingRequests += 1 }
        if waitingRequests > limits.pipelinedRequests {
            waitingRefusal = waitingRefusal ?? .badRequest
        } else if waitingRefusal == nil {
            waiting.append(part)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard !isUpgraded else { return }
        schedule(context)
        context.fireChannelReadComplete()
        readAway(context)
    }

    /// Not while requests wait: the socket's buffer is where a client that sends ahead of the answers is held up.
    func read(context: ChannelHandlerContext) {
        guard !isUpgraded else { return }
        if waiting.isEmpty || state.isFinished {
            context.read()
        } else {
            isReadHeldBack = true
        }
    }

    private func process(_ context: ChannelHandlerContext, _ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head):
            switch WebSocketHandshake(head) {
            case .accept(let key):
                handshake = (head, key)
                state.head(isLast: false, at: .now())
            case .refuse(let status):
                refuse(context, HTTPResponseStatus(statusCode: status))
            case .notAsked:
                begin(context, head)
            }
        case .body(let bytes):
            state.body(bytes: bytes.readableBytes)
            if handshake == nil { context.fireChannelRead(wrapInboundOut(part)) }
        case .end:
            if let handshake {
                upgrade(context, handshake.head, key: handshake.key)
                return
            }
            let isOver = state.requestEnd(at: .now())
            context.fireChannelRead(wrapInboundOut(part))
            if isOver { processWaiting(context) }
        }
    }

    private func begin(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
        guard prepareRouter(context) else {
            close(context)
            return
        }
        // After an upgrade that is none of ours (`Upgrade: h2c`) the decoder reads no further request.
        let asksForUpgrade = head.headers.contains(name: "upgrade")
        state.head(isLast: !head.isKeepAlive || head.version == .http1_0 || asksForUpgrade, at: .now())

        var head = head
        head.headers.replaceOrAdd(name: "x-forwarded-for", value: clientAddress(context, head).description)
        if head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }) {
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    private func clientAddress(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) -> ClientAddress {
        trustedProxies.client(
            of: ClientAddress(context.remoteAddress), forwardedFor: head.headers["x-forwarded-for"])
    }

    /// Goes on with the requests that were pipelined behind the exchange that has just ended.
    private func processWaiting(_ context: ChannelHandlerContext) {
        var hasProcessed = false
        while !state.isBusy, !state.isFinished, !isUpgraded, let part = waiting.popFirst() {
            if case .head = part { waitingRequests -= 1 }
            process(context, part)
            hasProcessed = true
        }
        // The router's end takes up what it was given when it hears that reading is complete.
        if hasProcessed, !isUpgraded { context.fireChannelReadComplete() }
        if waiting.isEmpty, !state.isBusy, !state.isFinished, !isUpgraded, let status = waitingRefusal {
            refuse(context, status)
        }
        if waiting.isEmpty, isReadHeldBack {
            isReadHeldBack = false
            read(context: context)
        }
        schedule(context)
    }

    /// Builds the router's half of the pipeline, once.
    private func prepareRouter(_ context: ChannelHandlerContext) -> Bool {
        guard !hasRouter else { return true }
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: isSecure))
            let channel = try RouterChannel(
                wrappingChannelSynchronously: context.channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            hasRouter = true
            router.succeed(channel)
            return true
        } catch {
            return false
        }
    }

    // MARK: Responses

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !state.isFinished, !isUpgraded, !isClosingWhenWritten else {
            promise?.fail(ConnectionError.connectionClosing)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if head.status.code >= 200, state.responseHead() {
                head.headers.replaceOrAdd(name: "connection", value: "close")
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            let written = promise ?? context.eventLoop.makePromise()
            writeEnd(context, data, written)
            switch state.responseEnd(at: .now()) {
            case .nextRequest: processWaiting(context)
            case .restOfRequest: schedule(context)
            case .close: finish(context)
            }
        }
    }

    private func writeEnd(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>) {
        unwrittenResponses += 1
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in
            let (handler, context) = loopBound.value
            handler.unwrittenResponses -= 1
            if handler.isClosingWhenWritten, handler.unwrittenResponses == 0 { handler.linger(context) }
        }
        context.writeAndFlush(data, promise: promise)
    }

    /// Answers in place of the router, and closes.
    private func refuse(_ context: ChannelHandlerContext, _ status: HTTPResponseStatus) {
        // Half a response cannot be followed by another one.
        guard !state.isResponseStarted || !state.isReceiving else {
            close(context)
            return
        }
        _ = state.finishAfterExchange()
        if state.isReceiving { context.fireErrorCaught(ConnectionError.requestCutOff) }
        var body = context.channel.allocator.buffer(capacity: 64)
        body.writeString("{\"message\": \"\(status.code): \(status.reasonPhrase)\", \"code\": 0}")
        var headers: HTTPHeaders = [
            "content-type": "application/json", "content-length": String(body.readableBytes), "connection": "close",
            "via": "1.1 flux",
        ]
        if status == .upgradeRequired {
            headers.add(name: "upgrade", value: "websocket")
            headers.add(name: "sec-websocket-version", value: WebSocketHandshake.version)
        }
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        writeEnd(context, wrapOutboundOut(.end(nil)), context.eventLoop.makePromise())
        finish(context)
    }

    // MARK: Closing

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        promise?.succeed()
        // The router's half lives on behind the gateway's handler, and has nothing to say about the connection.
        guard !isUpgraded, mode != .input else { return }
        if state.isResponseStarted, state.isBusy || state.isReceiving {
            close(context)
        } else {
            finish(context)
        }
    }

    /// Closes once everything that was written is out.
    private func finish(_ context: ChannelHandlerContext) {
        if unwrittenResponses > 0 {
            isClosingWhenWritten = true
        } else {
            linger(context)
        }
    }

    /// Closes the sending side, and the rest when the peer has read it or its time is over. A plain close would reset a
    /// connection on which the client is still sending, and the reset would overtake the response.
    private func linger(_ context: ChannelHandlerContext) {
        guard !state.isFinished else { return }
        guard !isSecure, !isInputClosed else {
            close(context)
            return
        }
        state.lingering(at: .now())
        waiting.removeAll()
        context.close(mode: .output, promise: nil)
        schedule(context)
        isReadHeldBack = false
        readAway(context)
    }

    /// Keeps reading what a lingering client sends, until its end. The router's half asks for nothing any more once it has
    /// answered.
    private func readAway(_ context: ChannelHandlerContext) {
        if state.isFinished, context.channel.isActive { context.read() }
    }

    private func close(_ context: ChannelHandlerContext) {
        state.closed()
        context.close(promise: nil)
    }

    /// Keeps one timer for the state's deadline. A deadline that has moved away is noticed when the timer fires, so
    /// that traffic costs no timers.
    private func schedule(_ context: ChannelHandlerContext) {
        guard !isUpgraded, context.channel.isActive || !state.isFinished, let deadline = state.deadline else { return }
        if let timerDeadline, timer != nil, timerDeadline <= deadline { return }
        timer?.cancel()
        timerDeadline = deadline
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: deadline) {
            let (handler, context) = loopBound.value
            handler.timer = nil
            handler.expire(context)
        }
    }

    private func expire(_ context: ChannelHandlerContext) {
        guard !isUpgraded else { return }
        switch state.expire(at: .now()) {
        case .none: schedule(context)
        case .close: close(context)
        case .requestTimeout: refuse(context, .requestTimeout)
        }
    }

    // MARK: Upgrade

    private func upgrade(_ context: ChannelHandlerContext, _ head: HTTPRequestHead, key: String) {
        handshake = nil
        isUpgraded = true
        timer?.cancel()
        timer = nil
        waiting.removeAll()

        let upgrade = GatewayUpgrade(
            acceptKey: key, query: GatewayQuery(uri: head.uri),
            origin: GatewayClientOrigin(
                webOrigin: head.headers.first(name: "origin"), cookies: head.headers["cookie"]),
            isSecure: isSecure)
        guard let handler = gateway.makeHandler(upgrade, on: context.eventLoop) else {
            context.close(promise: nil)
            return
        }
        let pipeline = context.pipeline.syncOperations
        do {
            // The encoder goes first, so that the gateway's bytes meet nothing on their way out; the decoder hands what
            // it has already read of the WebSocket to the next handler, which is the gateway's from here on.
            let encoder = try pipeline.handler(type: HTTPResponseEncoder.self)
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            pipeline.removeHandler(encoder, promise: nil)
            try pipeline.addHandler(handler, position: .before(self))
            pipeline.removeHandler(decoder, promise: nil)
        } catch {
            context.close(promise: nil)
            return
        }
        if hasRouter {
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else {
            pipeline.removeHandler(self, promise: nil)
        }
    }
}

extension HTTPRequestHead {
    /// Whether the client wants to use the connection again.
    fileprivate var isKeepAlive: Bool {
        !headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
    }
}
