import NIOCore
import NIOHTTP1

/// Gives the parts of HTTP responses one at a time, as fast as they are asked for: the socket is read only while somebody
/// waits for a part, so that a slow reader holds back the server and not our memory.
///
/// Used on its event loop alone. A failure or the end of the connection fails the waiting call and all later ones.
final class PullHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private var parts = CircularBuffer<HTTPClientResponsePart>()
    private var waiter: EventLoopPromise<HTTPClientResponsePart>?
    private var failure: (any Error)?
    private var context: ChannelHandlerContext?

    /// Fulfils the promise with the next part.
    func next(_ promise: EventLoopPromise<HTTPClientResponsePart>) {
        if let part = parts.popFirst() {
            promise.succeed(part)
        } else if let failure {
            promise.fail(failure)
        } else if waiter != nil {
            promise.fail(StorageError.unavailable("two readers of one response"))
        } else {
            waiter = promise
            context?.read()
        }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(ChannelError.eof)
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if let waiter = waiter.take() { waiter.succeed(part) } else { parts.append(part) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if waiter != nil { context.read() }
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(ChannelError.eof)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error)
        context.close(promise: nil)
    }

    private func fail(_ error: any Error) {
        if failure == nil { failure = error }
        waiter.take()?.fail(error)
    }
}
