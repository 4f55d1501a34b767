import Logging
import NIOCore

/// The cluster port's end of a connection in join mode: takes one request, has it decided, answers, and closes.
final class JoinServerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case awaitingRequest
        case deciding
        case over
    }

    private let desk: JoinDesk?
    private let limits: LinkLimits
    private let logger: Logger
    private let deadline: NIODeadline
    private var decoder: RawFrameDecoder
    private var deadlineTask: Scheduled<Void>?
    private var state = State.awaitingRequest

    /// Without a desk, or without TLS, every request is refused.
    init(desk: JoinDesk?, limits: LinkLimits, deadline: NIODeadline, isSecured: Bool, logger: Logger) {
        self.logger = logger
        self.desk = isSecured ? desk : nil
        self.limits = limits
        self.deadline = deadline
        decoder = RawFrameDecoder(limit: limits.handshakeFrameByteCount)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        deadlineTask = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            // A decision that is under way is waited for: the store has its own time-outs, and the answer is worth having.
            if case .awaitingRequest = self.state { context.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadlineTask?.cancel()
        state = .over
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .awaitingRequest = state else { return }
        decoder.append(unwrapInboundIn(data))
        do throws(LinkRefusal) {
            guard let raw = try decoder.next() else { return }
            state = .deciding
            decide(raw, context)
        } catch {
            answer(.failure(.malformed), context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func decide(_ raw: RawFrame, _ context: ChannelHandlerContext) {
        guard let desk else { return answer(.failure(.notAccepting), context) }
        guard raw.kind == JoinRequest.frameKind, let request = try? JoinRequest(decoding: raw.body) else {
            return answer(.failure(.malformed), context)
        }
        let promise = context.eventLoop.makePromise(of: JoinGrant.self)
        promise.futureResult.assumeIsolated().whenComplete { result in
            let result = result.mapError { $0 as? JoinRefusal ?? .unavailable("\($0)") }
            if case .failure(let refusal) = result { self.log(refusal, of: request) }
            self.answer(result, context)
        }
        promise.completeWithTask { try await desk.decide(request) }
    }

    private func log(_ refusal: JoinRefusal, of request: JoinRequest) {
        let reason =
            switch refusal {
            case .version(let own): JoinRefusal.noCommonVersion(cluster: own, newcomer: request.versions)
            default: refusal.description
            }
        logger.warning(
            "refused a node that wants to join", metadata: ["name": "\(request.name)", "reason": "\(reason)"])
    }

    private func answer(_ result: Result<JoinGrant, JoinRefusal>, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        state = .over
        deadlineTask?.cancel()
        let dialect = desk?.dialect ?? .own
        let frame =
            switch result {
            case .success(let grant): RawFrame(kind: JoinGrant.frameKind, body: grant.encoded(dialect: dialect))
            case .failure(let refusal): RawFrame(kind: JoinRefusal.frameKind, body: refusal.encoded(dialect: dialect))
            }
        var buffer = context.channel.allocator.buffer(capacity: frame.body.count + LinkFrame.headByteCount)
        frame.encode(into: &buffer)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        context.close(mode: .output, promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: limits.farewellTime) { context.close(promise: nil) }
    }
}
