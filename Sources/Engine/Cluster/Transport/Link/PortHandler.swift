import FluxSecurity
import NIOCore

/// The first that an accepted connection meets: finds out what the dialler wants, and gives way to the handler for that.
///
/// It holds a few bytes and a timer, and knows nothing of the peer. Whoever sends something else, or nothing, is refused.
final class PortHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let core: LinkCore
    private let deadline: NIODeadline
    private var decoder: RawFrameDecoder
    private var proof: LinkHandshake.PeerProof?
    private var deadlineTask: Scheduled<Void>?
    private var isRefused = false

    /// Under TLS the proof comes with the handshake.
    init(core: LinkCore, proof: LinkHandshake.PeerProof?) {
        self.core = core
        self.proof = proof
        deadline = .now() + core.configuration.limits.handshakeTime
        decoder = RawFrameDecoder(limit: core.configuration.limits.handshakeFrameByteCount)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        deadlineTask = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.refuse(.timedOut, context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadlineTask?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadlineTask?.cancel()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSHandshake { proof = core.proof(of: event) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused, let proof else { return }
        decoder.append(unwrapInboundIn(data))
        do throws(LinkRefusal) {
            guard let mode = try decoder.preamble() else { return }
            deadlineTask?.cancel()
            giveWay(to: handler(for: mode, proof, context), context)
        } catch {
            refuse(error, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        core.refusedUnknown(error)
        context.close(promise: nil)
    }

    private func handler(
        for mode: ConnectionMode, _ proof: LinkHandshake.PeerProof, _ context: ChannelHandlerContext
    ) -> any ChannelHandler {
        switch mode {
        case .link:
            LinkConnection(
                id: core.nextConnection(), role: .acceptor, core: core, eventLoop: context.eventLoop, proof: proof,
                deadline: deadline)
        case .join:
            JoinServerHandler(
                desk: core.joinDesk, limits: core.configuration.limits, deadline: deadline,
                isSecured: proof != .plaintext, logger: core.configuration.logger)
        }
    }

    private func giveWay(to handler: any ChannelHandler, _ context: ChannelHandlerContext) {
        do {
            try context.pipeline.syncOperations.addHandler(handler, position: .after(context.handler))
        } catch {
            return context.close(promise: nil)
        }
        let rest = decoder.takeRest()
        if rest.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(rest))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func refuse(_ refusal: LinkRefusal, _ context: ChannelHandlerContext) {
        guard !isRefused else { return }
        isRefused = true
        deadlineTask?.cancel()
        core.refusedUnknown(refusal)
        guard context.channel.isActive, proof != nil else { return context.close(promise: nil) }
        var buffer = context.channel.allocator.buffer(capacity: 64)
        LinkFrame.refusal(refusal).encode(into: &buffer, dialect: core.configuration.dialect)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        context.close(mode: .output, promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: core.configuration.limits.farewellTime) {
            context.close(promise: nil)
        }
    }
}
