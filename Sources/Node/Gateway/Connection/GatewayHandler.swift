import FluxCore
import FluxRealtime
import NIOCore

/// One gateway connection: the only handler of its channel after the upgrade.
///
/// A shell. ``WebSocketFrameParser`` reads frames, ``GatewayConnectionState`` decides about payloads, the session behind
/// ``SessionHandle`` does the work, ``OutboundFrames`` writes frames, ``OutboundSocket`` sends them; this handler carries
/// bytes and decisions between them. Everything happens on the channel's event loop.
///
/// What a turn of the loop gathers for the connection leaves in one write at the turn's end. A client that does not
/// read costs at most the configured bytes, then its connection is closed; its session waits to be resumed.
final class GatewayHandler: ChannelInboundHandler, RemovableChannelHandler, WheelEntry {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long a client may take to answer a close frame.
    private static let closeTimeout = TimeAmount.seconds(5)
    /// Between RECONNECT and the close that follows it.
    private static let reconnectDelay = TimeAmount.seconds(1)
    /// Heartbeats and small commands of a client fit; larger frames take several reads.
    private static let receiveBufferSize = 1024

    private enum Ending {
        /// Open.
        case none
        /// A close frame is under way to the client, which is given until then to answer it.
        case awaitingClose(until: NIODeadline)
        /// Both sides have closed: the connection ends as soon as everything is sent.
        case whenSent(until: NIODeadline)
        case closed
    }

    let gateway: Gateway
    let loop: GatewayLoop
    /// Belongs to ``ConnectionWheel``.
    var wheelPlace = WheelPlace()

    private var context: ChannelHandlerContext?
    /// Needed until the handshake is answered and the session is there.
    private var upgrade: GatewayUpgrade?
    private let isBatched: Bool
    private let isSecure: Bool

    private var parser = WebSocketFrameParser()
    /// The beginning of a frame whose end has not come yet.
    private var unparsed: ByteBuffer?
    private var state: GatewayConnectionState
    private var session: (any SessionHandle)?
    /// Payloads that came between IDENTIFY and READY.
    private var heldBack: [(opcode: GatewayOpcode, body: JSON)] = []

    private var frames: OutboundFrames
    private var socket = OutboundSocket()
    private var isFlushDue = false
    private var batchWindow: BatchWindow
    private var limit: UnsentLimit
    private var isReconnectSent = false
    private var ending = Ending.none
    /// What the client's close frame said, for the session.
    private var clientCloseCode: UInt16?

    init(gateway: Gateway, loop: GatewayLoop, upgrade: GatewayUpgrade) {
        self.gateway = gateway
        self.loop = loop
        self.upgrade = upgrade
        isBatched = upgrade.query.isBatched
        isSecure = upgrade.isSecure
        var limits = GatewayConnectionState.Limits()
        limits.heartbeatInterval = gateway.configuration.heartbeatInterval
        limits.identifyTimeout = gateway.configuration.identifyTimeout
        state = GatewayConnectionState(limits: limits, openedAt: .now())
        let deflate = upgrade.query.compression == .zlibStream ? DeflateStream() : nil
        frames = OutboundFrames(deflate: deflate, isBatched: upgrade.query.isBatched)
        batchWindow = BatchWindow(length: gateway.configuration.batchWindow)
        limit = UnsentLimit(
            usual: gateway.configuration.unsentByteLimit, opening: gateway.configuration.openingByteLimit)
    }

    // MARK: The channel's life

    /// What the kernel may hold for one client. Left to itself it holds megabytes for one that does not read: more than its
    /// session can send again when it comes back.
    private static let sendBufferSize: SocketOptionValue = 256 << 10

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.counters.opened += 1
        if let options = context.channel.syncOptions {
            // The handler reads for itself: behind it may stand the rest of an HTTP pipeline that never reads again.
            try? options.setOption(.autoRead, value: false)
            try? options.setOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.receiveBufferSize))
            try? options.setOption(.allowRemoteHalfClosure, value: false)
            try? options.setOption(.socketOption(.so_sndbuf), value: Self.sendBufferSize)
        }
        open()
        context.read()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        ended()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: context.close(promise: nil)
        case is ChannelShouldQuiesceEvent: reconnect()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// The handshake's answer and HELLO, or a close for what the URL asked (protocol 7.1).
    private func open() {
        guard let upgrade else { return }
        frames.buffer = loop.takeBuffer()
        frames.buffer.writeString(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
                + "sec-websocket-accept: \(upgrade.acceptKey)\r\n\r\n")
        if let refusal = upgrade.query.refusal {
            close(WebSocketCloseCode(refusal))
            return
        }
        let interval = gateway.configuration.heartbeatInterval.nanoseconds / 1_000_000
        let batch = isBatched ? ",\"batch\":true" : ""
        frames.append(.hello, body: "{\"heartbeat_interval\":\(interval)\(batch)}".utf8)
        flushSoon()
        watch()
    }

    private func ended() {
        if case .closed = ending { return }
        ending = .closed
        state.closed()
        loop.forget(self)
        loop.counters.closed += 1
        socket.closed()
        unparsed = nil
        heldBack = []
        frames.discard()
        letGoOfSession()
    }

    private func letGoOfSession() {
        let session = session
        self.session = nil
        session?.detach(closeCode: clientCloseCode)
    }

    private func watch() {
        switch ending {
        case .none: if let deadline = state.deadline { loop.watch(self, until: deadline) }
        case .awaitingClose(let until), .whenSent(let until): loop.watch(self, until: until)
        case .closed: break
        }
    }

    /// Called by the loop when the deadline that was asked for may have passed.
    func deadlinePassed() {
        let now = NIODeadline.now()
        switch ending {
        case .none where state.isOverdue(at: now):
            close(WebSocketCloseCode(.timedOut))
        case .awaitingClose(let until) where now >= until, .whenSent(let until) where now >= until:
            context?.close(promise: nil)
        default:
            watch()
        }
    }

    // MARK: Receiving

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if var joined = unparsed {
            unparsed = nil
            joined.discardReadBytes()
            joined.writeBuffer(&bytes)
            bytes = joined
        }
        do {
            while let event = try parser.next(from: &bytes) { receive(event) }
        } catch {
            close(error.closeCode)
        }
        if bytes.readableBytes > 0 { unparsed = bytes }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.read()
    }

    private func receive(_ event: WebSocketFrameParser.Event) {
        switch event {
        case .message(let payload): receive(message: payload)
        case .ping(let payload):
            if case .none = ending { enqueue { $0.append(.pong, payload: payload) } }
        case .pong: break
        case .close(let code): receive(close: code)
        }
    }

    private func receive(close code: WebSocketCloseCode?) {
        if case .none = ending {
            clientCloseCode = code?.rawValue
            state.closed()
            letGoOfSession()
            appendClose(code)
        }
        ending = .whenSent(until: .now() + Self.closeTimeout)
        watch()
        flushSoon()
    }

    private func receive(message: ByteBuffer) {
        guard case .none = ending else { return }
        guard let payloads = GatewayEnvelope.payloads(in: message.readableBytesUInt8Span, allowingBatch: isBatched)
        else {
            close(WebSocketCloseCode(.undecodable))
            return
        }
        for range in payloads where !state.isClosed { receive(payload: message, in: range) }
    }

    private func receive(payload: ByteBuffer, in range: Range<Int>) {
        loop.counters.payloadsReceived += 1
        guard let envelope = GatewayEnvelope(scanning: payload.readableBytesUInt8Span, in: range) else {
            close(WebSocketCloseCode(.undecodable))
            return
        }
        switch state.admit(opcode: envelope.opcode, at: .now()) {
        case .ignore:
            break
        case .close(let code):
            close(WebSocketCloseCode(code))
        case .perform(.heartbeat):
            heartbeat(payload, envelope)
        case .perform(let opcode):
            guard let body = Self.body(payload, envelope) else {
                close(WebSocketCloseCode(.undecodable))
                return
            }
            perform(opcode, body)
        case .holdBack(let opcode):
            guard let body = Self.body(payload, envelope) else {
                close(WebSocketCloseCode(.undecodable))
                return
            }
            heldBack.append((opcode, body))
        }
    }

    private static func body(_ payload: ByteBuffer, _ envelope: GatewayEnvelope) -> JSON? {
        guard let range = envelope.body else { return nil }
        return payload.withUnsafeReadableBytes { bytes in
            try? JSON.parse(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    private func heartbeat(_ payload: ByteBuffer, _ envelope: GatewayEnvelope) {
        let bytes = payload.readableBytesUInt8Span
        var sequence: UInt64?
        if let body = envelope.body, !GatewayEnvelope.isNull(bytes, body) {
            guard let number = GatewayEnvelope.integer(bytes, body), number >= 0 else {
                close(WebSocketCloseCode(.undecodable))
                return
            }
            sequence = UInt64(number)
        }
        enqueue { $0.append(.heartbeatAcknowledgement, body: "null".utf8) }
        session?.heartbeat(acknowledged: sequence)
    }

    private func perform(_ opcode: GatewayOpcode, _ body: JSON) {
        let isDecodable: Bool
        switch opcode {
        case .identify:
            identify(body)
            return
        case .resume:
            resume(body)
            return
        case .presenceUpdate: isDecodable = session?.updatePresence(body) ?? true
        case .voiceStateUpdate: isDecodable = session?.updateVoiceState(body) ?? true
        case .requestGuildMembers: isDecodable = session?.requestMembers(body) ?? true
        case .messageSend: isDecodable = session?.send(body) ?? true
        default: return
        }
        if !isDecodable { close(WebSocketCloseCode(.undecodable)) }
    }

    // MARK: The session

    private func identify(_ body: JSON) {
        do throws(SessionRefusal) {
            let payload = try IdentifyPayload(body)
            authenticate(payload.token) { identity in
                do throws(SessionRefusal) {
                    let request = try payload.request(as: identity)
                    self.gateway.sessions.identify(request, as: identity, over: self) { self.established($0) }
                } catch {
                    self.refused(error)
                }
            }
        } catch {
            refused(error)
        }
    }

    private func resume(_ body: JSON) {
        do throws(SessionRefusal) {
            let payload = try ResumePayload(body)
            authenticate(payload.token) { identity in
                self.gateway.sessions.resume(
                    payload.sessionIdentifier, after: payload.sequence, as: identity, over: self
                ) { self.established($0) }
            }
        } catch {
            refused(error)
        }
    }

    /// Finds out who the token, or else the cookie, belongs to, and goes on with it on the loop if the connection still
    /// waits for it. The one task of a connection's life.
    private func authenticate(_ token: String?, then next: @escaping (GatewayIdentity) -> Void) {
        guard
            let token = token
                ?? upgrade?.origin.accessToken(publicOrigin: gateway.configuration.publicOrigin)
        else {
            close(WebSocketCloseCode(.authenticationFailed))
            return
        }
        let continuation = NIOLoopBound((self, next), eventLoop: loop.eventLoop)
        let authenticator = gateway.authenticator
        let eventLoop = loop.eventLoop
        Task {
            let result: Result<GatewayIdentity?, any Error>
            do { result = .success(try await authenticator.identity(forToken: token)) } catch {
                result = .failure(error)
            }
            eventLoop.execute {
                let (handler, next) = continuation.value
                guard case .none = handler.ending else { return }
                switch result {
                case .success(let identity?): next(identity)
                case .success(nil): handler.close(WebSocketCloseCode(.authenticationFailed))
                case .failure: handler.close(WebSocketCloseCode(.unknownError))
                }
            }
        }
    }

    private func established(_ result: Result<any SessionHandle, SessionRefusal>) {
        switch result {
        case .success(let session):
            guard case .none = ending else {
                session.detach(closeCode: clientCloseCode)
                return
            }
            self.session = session
            upgrade = nil
            limit.sessionBegins(at: .now())
            state.established()
            let waiting = heldBack
            heldBack = []
            for (opcode, body) in waiting where !state.isClosed { perform(opcode, body) }
        case .failure(let refusal):
            refused(refusal)
        }
    }

    private func refused(_ refusal: SessionRefusal) {
        guard case .none = ending else { return }
        switch refusal {
        case .invalidSession(let isResumable):
            heldBack = []
            state.sessionInvalidated(at: .now())
            enqueue { $0.append(.invalidSession, body: (isResumable ? "true" : "false").utf8, isAlone: true) }
            watch()
        case .close(let code):
            close(WebSocketCloseCode(code))
        }
    }

    // MARK: Closing

    /// Sends a close frame and waits a while for the client's. The session is let go at once.
    private func close(_ code: WebSocketCloseCode) {
        guard case .none = ending else { return }
        loop.counters.closes[code.rawValue, default: 0] += 1
        state.closed()
        letGoOfSession()
        appendClose(code)
        ending = .awaitingClose(until: .now() + Self.closeTimeout)
        flushSoon()
        watch()
    }

    private func appendClose(_ code: WebSocketCloseCode?) {
        var payload = ByteBuffer()
        if let code { payload.writeInteger(code.rawValue) }
        frames.append(.close, payload: payload)
    }

    // MARK: Sending

    /// Adds to what leaves at the end of this turn.
    @inline(__always)
    private func enqueue(_ write: (inout OutboundFrames) -> Void) {
        // A client over its limit is closed at the end of the turn, not here: the session is in the middle of a delivery.
        guard !limit.isExceeded else { return }
        if frames.buffer.capacity == 0 { frames.buffer = loop.takeBuffer() }
        write(&frames)
        limit.check(frames.byteCount + socket.unsent, at: .now())
        flushSoon()
    }

    private func flushSoon() {
        guard !isFlushDue else { return }
        isFlushDue = true
        loop.flushAtEndOfTurn(self)
    }

    /// Sends what has gathered. Called by the loop at the end of a turn.
    func flush() {
        guard isFlushDue, let context else { return }
        isFlushDue = false
        if limit.isExceeded {
            loop.counters.slowConsumers += 1
            context.close(promise: nil)
            return
        }
        guard !isCollected() else { return }
        frames.seal()
        guard !socket.isBusy else { return }
        send(context)
    }

    /// What a batch has collected is due. Called by the loop.
    func batchWindowClosed() {
        batchWindow.close()
        flushSoon()
    }

    /// Whether what has gathered waits for more. What ends the connection does not, nor what is enough for a batch.
    private func isCollected() -> Bool {
        guard isBatched, case .none = ending, frames.byteCount < OutboundFrames.batchByteLimit else { return false }
        switch batchWindow.decide(at: .now()) {
        case .send: return false
        case .collect(let time):
            loop.closeBatchWindow(of: self, in: time)
            return true
        case .collecting: return true
        }
    }

    private func send(_ context: ChannelHandlerContext) {
        guard frames.byteCount > 0 else {
            sentEverything(context)
            return
        }
        loop.counters.flushes += 1
        loop.counters.bytesSent += frames.byteCount
        switch socket.send(&frames.buffer, on: context.channel) {
        case .sent:
            loop.giveBack(frames.exchangeBuffer(for: ByteBuffer()))
            sentEverything(context)
        case .full:
            loop.counters.fullSockets += 1
            sendThroughChannel(context)
        case .useChannel:
            sendThroughChannel(context)
        case .failed:
            context.close(promise: nil)
        }
    }

    /// Hands the frames to the channel's queue. Until it is done with them nothing else is sent, so that order is kept.
    private func sendThroughChannel(_ context: ChannelHandlerContext) {
        let bytes = frames.exchangeBuffer(for: ByteBuffer())
        socket.handedOver(bytes.readableBytes)
        let promise = context.eventLoop.makePromise(of: Void.self)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        promise.futureResult.whenSuccess { handler.value.channelHasSent() }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: promise)
    }

    private func channelHasSent() {
        guard let context else { return }
        socket.channelHasSent(on: context, isSecure: isSecure)
        guard !isFlushDue else { return }
        frames.seal()
        send(context)
    }

    private func sentEverything(_ context: ChannelHandlerContext) {
        limit.everythingIsSent()
        if case .whenSent = ending { context.close(promise: nil) }
    }
}

extension GatewayHandler: SessionTransport {
    func deliver(_ event: StreamEvent, sequence: UInt64) {
        guard case .none = ending else { return }
        loop.counters.deliveries += 1
        enqueue { $0.append(event, sequence: sequence) }
    }

    func acknowledge(_ body: [UInt8]) {
        guard case .none = ending else { return }
        enqueue { $0.append(.messageSendAcknowledgement, body: body) }
    }

    func reconnect() {
        guard case .none = ending, !isReconnectSent else { return }
        isReconnectSent = true
        enqueue { $0.append(.reconnect, body: "null".utf8, isAlone: true) }
        loop.eventLoop.assumeIsolated().scheduleTask(in: Self.reconnectDelay) {
            self.close(WebSocketCloseCode(.unknownError))
        }
    }

    func close(_ code: GatewayCloseCode) {
        // The session has let go already and is not to be called.
        session = nil
        close(WebSocketCloseCode(code))
    }
}
