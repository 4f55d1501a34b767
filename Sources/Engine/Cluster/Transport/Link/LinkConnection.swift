import Collections
import FluxSecurity
import NIOCore

/// One connection to another node: performs what `LinkHandshake`, `LinkPulse` and the credits decide, and carries frames.
///
/// Frames that were appended to its outbox leave in batches: all that gathered until the loop came to it is one buffer, as long
/// as the peer's credit and the socket have room. What the outbox holds beyond that waits there, bounded.
///
/// `@unchecked Sendable`: apart from constants, everything is touched only on `eventLoop`, where NIO calls the handler and where
/// the entry points for other threads hop to.
final class LinkConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The most bytes that are put together for one write.
    private static let batchByteCount = 256 * 1024
    /// How soon credit is looked at again that was held back because too much waits to be worked on.
    private static let congestionPause = TimeAmount.milliseconds(5)

    let id: ConnectionID
    let eventLoop: any EventLoop
    private let role: LinkHandshake.Role
    private let core: LinkCore
    private let limits: LinkLimits
    private let deadline: NIODeadline
    private var context: ChannelHandlerContext?
    /// What is known of the peer's security; nil before TLS is done.
    private var proof: LinkHandshake.PeerProof?
    private var handshake: LinkHandshake?
    private var decoder: RawFrameDecoder
    private var lane = TransportLane.control
    private var outbox: LinkOutbox?
    private var pending = Deque<[UInt8]>()
    private var sendCredit = SendCredit(window: 0)
    private var receiveCredit: ReceiveCredit?
    private var pulse: LinkPulse?
    private var pulseTask: RepeatedTask?
    private var deadlineTask: Scheduled<Void>?
    private var farewellTask: Scheduled<Void>?
    private var link: PendingLink?
    /// What came since it was last counted: once a turn, not once a frame.
    private var received = (frameCount: 0, byteCount: 0)
    private var isGrantDue = false
    private var isEnded = false

    /// A connection that is dialled (`proof` nil under TLS), or accepted and secured.
    init(
        id: ConnectionID, role: LinkHandshake.Role, core: LinkCore, eventLoop: any EventLoop,
        proof: LinkHandshake.PeerProof?, deadline: NIODeadline
    ) {
        self.id = id
        self.role = role
        self.core = core
        self.eventLoop = eventLoop
        self.proof = proof
        self.deadline = deadline
        limits = core.configuration.limits
        decoder = RawFrameDecoder(limit: limits.handshakeFrameByteCount)
    }

    // MARK: From other threads

    /// The acceptor is part of this link now.
    func welcome(to link: PendingLink, name: UInt64) {
        onLoop { connection in
            connection.link = link
            connection.step { $0.decided(link: name) }
        }
    }

    /// Both connections of our dial are welcome.
    func start() {
        onLoop { connection in
            connection.step { $0.start() }
            if connection.handshake?.isEstablished == true { connection.established() }
        }
    }

    /// Ends the connection after telling the peer why.
    func close(_ refusal: LinkRefusal) {
        onLoop { $0.end(refusal) }
    }

    /// The dial came to nothing.
    func dialFailed(_ error: any Error) {
        onLoop { connection in
            connection.ended()
            connection.core.unreachable(connection, error)
        }
    }

    private func onLoop(_ work: @escaping @Sendable (LinkConnection) -> Void) {
        eventLoop.execute { work(self) }
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard !isEnded else { return }
        deadlineTask = eventLoop.scheduleTask(deadline: deadline) {
            if self.handshake?.isEstablished != true { self.end(.timedOut) }
        }
        if context.channel.isActive { begin() }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin()
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSHandshake {
            proof = core.proof(of: event)
            begin()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnded else { return }
        pulse?.heard(at: .now())
        decoder.append(unwrapInboundIn(data))
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if received.frameCount > 0 {
            core.metrics.lane(lane).receivedFrames.increment(by: received.frameCount)
            core.metrics.lane(lane).receivedBytes.increment(by: received.byteCount)
            received = (0, 0)
        }
        giveCredit()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pump() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        farewellTask?.cancel()
        ended()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        ended()
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !isEnded {
            ended()
            core.unreachable(self, error)
        }
        context.close(promise: nil)
    }

    // MARK: The handshake

    /// The node that this connection is for: who was dialled, or who proved to be there.
    var node: NodeID? {
        if case .dialler(let target, _, _) = role { target } else { handshake?.peer?.id }
    }

    /// Whether this end dialled.
    var isDialled: Bool { role != .acceptor }

    /// The peer's certificate.
    var fingerprint: CertificateFingerprint? {
        if case .certificate(let fingerprint, _, _) = proof { fingerprint } else { nil }
    }

    private func begin() {
        guard !isEnded else {
            context?.close(promise: nil)
            return
        }
        guard handshake == nil, let proof, let context, context.channel.isActive else { return }
        if case .dialler(_, let lane, let link) = role {
            take(lane: lane)
            var buffer = context.channel.allocator.buffer(capacity: 256)
            buffer.writeBytes(ConnectionMode.link.preamble)
            context.write(wrapOutboundOut(buffer), promise: nil)
            precondition((lane == .bulk) == (link != nil), "the bulk connection belongs to a link")
        }
        handshake = LinkHandshake(
            role: role, expectation: core.expectation, window: UInt64(limits.window(of: lane)), proof: proof)
        step { $0.begin() }
        process()
    }

    /// From now on it is known which lane this is.
    private func take(lane: TransportLane) {
        self.lane = lane
        receiveCredit = ReceiveCredit(
            window: limits.window(of: lane), overdraft: limits.frameByteCount + LinkFrame.headByteCount)
        outbox = LinkOutbox(
            bound: limits.queue(of: lane), frameLimit: limits.frameByteCount,
            refusals: core.metrics.lane(lane).refusedFrames,
            overflow: { [weak self] in self?.close(.congested) },
            wake: { [weak self] in self?.onLoop { $0.pump() } })
    }

    private func step(_ event: (inout LinkHandshake) -> LinkHandshake.Action) {
        guard !isEnded, var machine = handshake else { return }
        let action = event(&machine)
        handshake = machine
        perform(action)
    }

    private func perform(_ action: LinkHandshake.Action) {
        switch action {
        case .none: break
        case .send(let frame): send(frame)
        case .decide(let hello, let version):
            take(lane: hello.lane)
            // What the machine told the peer is the window of the lane that it asked for.
            handshake?.ownWindow = UInt64(limits.window(of: hello.lane))
            if let outbox, let handshake { core.greeted(self, hello, version, handshake.features, outbox) }
        case .welcomed(let welcome):
            decoder.limit = limits.frameByteCount
            if let outbox, let handshake { core.welcomed(self, welcome, handshake.features, outbox) }
        case .established:
            guard let link, core.registry.open(link) else { return end(.noSuchLink) }
            decoder.limit = limits.frameByteCount
            core.ready(self)
            established()
        case .deliver(let frame): deliver(frame)
        case .refuse(let refusal): end(refusal)
        case .refused(let refusal):
            ended()
            core.refusedByPeer(self, refusal)
            context?.close(promise: nil)
        }
    }

    private func established() {
        deadlineTask?.cancel()
        guard !isEnded, pulse == nil, let handshake else { return }
        if !isDialled, let context { core.halfOpen.release(context.channel) }
        sendCredit = SendCredit(window: handshake.peerWindow)
        pulse = LinkPulse(interval: limits.pulse, silence: limits.silence, now: .now())
        pulseTask = eventLoop.scheduleRepeatedTask(initialDelay: limits.pulse, delay: limits.pulse) { _ in self.beat() }
        pump()
    }

    // MARK: Receiving

    private func process() {
        do throws(LinkRefusal) {
            while !isEnded, handshake != nil, let raw = try decoder.next() {
                if raw.kind == LinkFrame.dataKind, handshake?.isEstablished == true {
                    try deliver(data: raw.body)
                } else {
                    let frame = try Self.frame(raw)
                    step { $0.received(frame) }
                }
            }
        } catch {
            end(error)
        }
    }

    private static func frame(_ raw: RawFrame) throws(LinkRefusal) -> LinkFrame {
        do throws(WireError) { return try LinkFrame(raw) } catch { throw .malformed("\(error)") }
    }

    private func deliver(_ frame: LinkFrame) {
        switch frame {
        case .data(let bytes):
            do throws(LinkRefusal) { try deliver(data: bytes) } catch { end(error) }
        case .credit(let count):
            // Credit may come before our own start; there was nothing to give it for.
            guard sendCredit.granted(count) else { return end(.malformed("more credit than was taken")) }
            pump()
        case .ping(let number): send(.pong(number))
        case .pong(let number):
            if let time = pulse?.answered(number, at: .now()) {
                core.metrics.lane(lane).roundTrip.recordNanoseconds(time.nanoseconds)
            }
        case .hello, .welcome, .ready, .refusal: break
        }
    }

    private func deliver(data bytes: [UInt8]) throws(LinkRefusal) {
        let size = bytes.count + LinkFrame.headByteCount
        guard receiveCredit?.received(size) == true else { throw .creditOverdrawn }
        guard let peer = handshake?.peer else { throw .malformed("frame out of turn") }
        received.frameCount += 1
        received.byteCount += size
        do throws(WireError) {
            try core.receiver.receive(bytes, from: peer.id)
        } catch {
            throw .malformed("\(error)")
        }
        receiveCredit?.consumed(size)
    }

    private func giveCredit() {
        guard !isEnded, !isGrantDue else { return }
        guard !core.receiver.isCongested else {
            isGrantDue = true
            eventLoop.scheduleTask(in: Self.congestionPause) {
                self.isGrantDue = false
                self.giveCredit()
            }
            return
        }
        if let count = receiveCredit?.grant() { send(.credit(count)) }
    }

    // MARK: Sending

    /// Sends a frame of the link itself, ahead of what waits.
    private func send(_ frame: LinkFrame) {
        guard let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: 64)
        frame.encode(into: &buffer, dialect: core.configuration.dialect)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    /// Sends what waits, as far as the peer's credit and the socket allow.
    private func pump() {
        guard !isEnded, handshake?.isEstablished == true, let context, let outbox else { return }
        pending.append(contentsOf: outbox.take())
        var isFlushDue = false
        while !pending.isEmpty, sendCredit.maySend, context.channel.isWritable {
            write(nextBatch(context), context, outbox)
            isFlushDue = true
        }
        if isFlushDue { context.flush() }
    }

    private func nextBatch(_ context: ChannelHandlerContext) -> ByteBuffer {
        var (frameCount, byteCount) = (0, 0)
        var credit = sendCredit
        for frame in pending {
            let size = frame.count + LinkFrame.headByteCount
            guard credit.maySend, byteCount == 0 || byteCount + size <= Self.batchByteCount else { break }
            credit.spend(size)
            byteCount += size
            frameCount += 1
        }
        sendCredit = credit
        var buffer = context.channel.allocator.buffer(capacity: byteCount)
        for _ in 0..<frameCount {
            guard let frame = pending.popFirst() else { break }
            RawFrame(kind: LinkFrame.dataKind, body: frame).encode(into: &buffer)
        }
        core.metrics.lane(lane).sentFrames.increment(by: frameCount)
        return buffer
    }

    private func write(_ batch: ByteBuffer, _ context: ChannelHandlerContext, _ outbox: LinkOutbox) {
        let byteCount = batch.readableBytes
        let metrics = core.metrics.lane(lane)
        metrics.sentBytes.increment(by: byteCount)
        metrics.writes.increment()
        let promise = eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in outbox.release(byteCount) }
        context.write(wrapOutboundOut(batch), promise: promise)
    }

    private func beat() {
        guard !isEnded, let verdict = pulse?.tick(at: .now()) else { return }
        switch verdict {
        case .ping(let number):
            send(.ping(number))
            if let outbox, let node { core.metrics.queued(outbox.queuedByteCount, to: node, lane) }
        case .lost:
            ended(because: .silent)
            core.refused(self, .silent)
            context?.close(promise: nil)
        }
    }

    // MARK: Ending

    /// Tells the peer why and closes. The socket stays half open for a moment, so that the reason is not lost to a reset.
    private func end(_ refusal: LinkRefusal) {
        guard !isEnded else { return }
        let canTalk = handshake != nil
        ended(because: refusal)
        core.refused(self, refusal, versions: handshake?.refusedVersions)
        guard let context, context.channel.isActive else { return }
        guard canTalk else { return context.close(promise: nil) }
        send(.refusal(refusal))
        context.close(mode: .output, promise: nil)
        farewellTask = eventLoop.scheduleTask(in: limits.farewellTime) { self.context?.close(promise: nil) }
    }

    /// Nothing is delivered or sent any more; said once.
    private func ended(because reason: LinkRefusal? = nil) {
        guard !isEnded else { return }
        isEnded = true
        handshake?.end()
        outbox?.close()
        pending.removeAll()
        pulseTask?.cancel()
        deadlineTask?.cancel()
        // What the delivered frames made this loop's turn hand to other loops leaves before this is heard.
        eventLoop.execute { self.core.ended(self.id, because: reason) }
    }
}
