import NIOCore

/// Secures one channel: encrypted bytes toward the socket, plain bytes toward the rest of the pipeline.
///
/// Add it as the first handler, from ``TLSContext/makeHandler(serverName:)``. It serves both ends and both ports.
///
/// - When the handshake is done it fires a ``TLSHandshake`` as user event; writes before that wait, up to a bound.
/// - Reading keeps the channel's back-pressure: without auto-read nothing is read beyond what one plain read needs.
/// - Writing keeps it too: bytes are encrypted only while the channel is writable, in records that gather small writes;
///   what waits is bounded and a write's promise is fulfilled when its last byte went to the socket.
/// - close_notify is sent on every orderly close and answered; a connection that ends without it gives
///   ``TLSError/truncated``. Where the channel allows half-closure, TLS 1.3 has it too (RFC 8446, 6.1).
/// - Renegotiation is refused by the context. Each failure fires one ``TLSError`` and closes the channel, after the alert.
public final class TLSHandler: ChannelDuplexHandler {
    public typealias InboundIn = ByteBuffer
    public typealias InboundOut = ByteBuffer
    public typealias OutboundIn = ByteBuffer
    public typealias OutboundOut = ByteBuffer

    /// Which directions still flow in an open connection.
    private struct Directions {
        var input = true
        var output = true
    }

    private enum State {
        /// The channel is not active yet.
        case idle
        case handshaking(deadline: Scheduled<Void>)
        case open(Directions)
        /// Over: nothing more is read, encrypted or fired.
        case ended
    }

    private let connection: TLSConnection
    private let configuration: TLSConfiguration
    private var state = State.idle
    private var writes = TLSWriteQueue()

    /// A read was asked for that no plain bytes have answered yet.
    private var readIsDue = false

    init(connection: TLSConnection, configuration: TLSConfiguration) {
        self.connection = connection
        self.configuration = configuration
    }

    // MARK: Life

    public func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    public func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    public func channelInactive(context: ChannelHandlerContext) {
        switch state {
        case .handshaking:
            end(context, throwing: .handshakeFailed("the peer ended the connection"))
        case .open(let directions) where directions.input:
            end(context, throwing: .truncated)
        case .idle, .open, .ended:
            end(context, throwing: nil)
        }
        context.fireChannelInactive()
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        end(context, throwing: nil)
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard case .idle = state else { return }
        let deadline = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.handshakeTimeout) {
            self.handshakeTimedOut(context)
        }
        state = .handshaking(deadline: deadline)
        advanceHandshake(context)
        // A pipeline without auto-read may not ask for bytes before the handshake is done, and that needs some.
        context.read()
    }

    private func handshakeTimedOut(_ context: ChannelHandlerContext) {
        guard case .handshaking = state else { return }
        fail(context, with: .handshakeTimedOut)
    }

    // MARK: Reading

    public func read(context: ChannelHandlerContext) {
        readIsDue = true
        context.read()
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var encrypted = unwrapInboundIn(data)
        var plain = context.channel.allocator.buffer(capacity: encrypted.readableBytes)
        while encrypted.readableBytes > 0, takesInput {
            let taken = connection.receive(encrypted.readableBytesView)
            guard taken > 0 else { return fail(context, with: .protocolViolation("out of memory")) }
            encrypted.moveReaderIndex(forwardBy: taken)
            advanceHandshake(context)
            decrypt(context, into: &plain)
        }
        deliver(context, &plain)
    }

    public func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        switch state {
        case .handshaking: context.read()
        case .open where readIsDue: context.read()
        case .idle, .open, .ended: break
        }
    }

    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        // The socket's end of input. After close_notify it is no news; before, it is a cut.
        switch state {
        case .handshaking: fail(context, with: .handshakeFailed("the peer ended the connection"))
        case .open(let directions) where directions.input: fail(context, with: .truncated)
        case .idle, .open, .ended: break
        }
    }

    private var takesInput: Bool {
        switch state {
        case .handshaking: true
        case .open(let directions): directions.input
        case .idle, .ended: false
        }
    }

    private func advanceHandshake(_ context: ChannelHandlerContext) {
        guard case .handshaking(let deadline) = state else { return }
        switch connection.handshake() {
        case .wantsInput:
            sendOutput(context)
        case .advanced:
            deadline.cancel()
            if let pinned = configuration.pinnedAuthority, !connection.peerLeads(toAuthority: pinned) {
                return fail(context, with: .peerRefused)
            }
            let summary = connection.summary
            if let accepts = configuration.acceptsPeer, !accepts(summary.peerFingerprint ?? []) {
                return fail(context, with: .peerRefused)
            }
            state = .open(Directions())
            sendOutput(context)
            context.fireUserInboundEventTriggered(summary)
            encryptFlushed(context)
        case .closedByPeer:
            fail(context, with: .handshakeFailed("the peer closed"))
        case .failed(let reason):
            fail(context, with: .handshakeFailed(reason))
        }
    }

    private func decrypt(_ context: ChannelHandlerContext, into plain: inout ByteBuffer) {
        while case .open(let directions) = state, directions.input {
            switch connection.read(into: &plain) {
            case .advanced:
                continue
            case .wantsInput:
                // Tickets, key updates and warnings are answered without a write of ours.
                return sendOutput(context)
            case .closedByPeer:
                deliver(context, &plain)
                return inputEnded(context)
            case .failed(let reason):
                deliver(context, &plain)
                return fail(context, with: .protocolViolation(reason))
            }
        }
    }

    private func deliver(_ context: ChannelHandlerContext, _ plain: inout ByteBuffer) {
        guard plain.readableBytes > 0 else { return }
        let delivery = plain
        plain = ByteBuffer()
        readIsDue = false
        context.fireChannelRead(wrapInboundOut(delivery))
    }

    private func inputEnded(_ context: ChannelHandlerContext) {
        // Firing the last bytes may have closed the channel.
        guard case .open(var directions) = state else { return }
        directions.input = false
        state = .open(directions)
        let option = try? context.channel.syncOptions?.getOption(.allowRemoteHalfClosure)
        if option == true, directions.output, connection.allowsHalfClosure {
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else {
            close(context: context, mode: .all, promise: nil)
        }
    }

    // MARK: Writing

    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data)
        let limit: Int
        switch state {
        case .idle, .handshaking: limit = configuration.handshakeWriteLimit
        case .open(let directions) where directions.output: limit = configuration.writeLimit
        case .open, .ended:
            promise?.fail(TLSError.closed)
            return
        }
        guard writes.byteCount == 0 || writes.byteCount + bytes.readableBytes <= limit else {
            promise?.fail(TLSError.writeBufferFull)
            return fail(context, with: .writeBufferFull)
        }
        writes.append(bytes, promise: promise)
    }

    public func flush(context: ChannelHandlerContext) {
        writes.markFlushed()
        encryptFlushed(context)
        context.flush()
    }

    public func channelWritabilityChanged(context: ChannelHandlerContext) {
        // First what waits here, so that "writable" is true for the rest of the pipeline only if nothing does.
        encryptFlushed(context)
        context.fireChannelWritabilityChanged()
    }

    private func encryptFlushed(_ context: ChannelHandlerContext) {
        guard case .open(let directions) = state, directions.output, writes.hasFlushed else { return }
        while context.channel.isWritable, writes.hasFlushed {
            guard encryptBatch(context) else { return }
        }
        connection.trimOutput()
        context.flush()
    }

    /// Encrypts and writes one batch; false when that ended the connection.
    private func encryptBatch(_ context: ChannelHandlerContext) -> Bool {
        var batch = writes.nextBatch()
        while let record = batch.popFirst() {
            // A memory BIO takes every byte and renegotiation is off, so a write is whole or the connection is broken.
            guard case .advanced(record.readableBytes) = connection.write(record.readableBytesView) else {
                batch.fail(TLSError.closed)
                fail(context, with: .protocolViolation("a record could not be written"))
                return false
            }
        }
        writeOutput(context, promise: batch.combinedPromise(on: context.eventLoop))
        return true
    }

    /// Writes and flushes what OpenSSL has for the peer of its own accord.
    private func sendOutput(_ context: ChannelHandlerContext) {
        guard connection.outputByteCount > 0 else { return }
        writeOutput(context, promise: nil)
        connection.trimOutput()
        context.flush()
    }

    private func writeOutput(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        var encrypted = context.channel.allocator.buffer(capacity: connection.outputByteCount)
        connection.drainOutput(into: &encrypted)
        context.write(wrapOutboundOut(encrypted), promise: promise)
    }

    // MARK: Ending

    public func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch (mode, state) {
        case (.output, .open(var directions)) where directions.output:
            sayGoodbye(context)
            directions.output = false
            state = .open(directions)
            writes.failAll(TLSError.closed)
        case (.all, .open(let directions)) where directions.output:
            sayGoodbye(context)
            end(context, throwing: nil)
        case (.all, _):
            end(context, throwing: nil)
        case (.output, _), (.input, _):
            break
        }
        context.close(mode: mode, promise: promise)
    }

    private func sayGoodbye(_ context: ChannelHandlerContext) {
        encryptFlushed(context)
        connection.close()
        sendOutput(context)
    }

    /// Sends the alert, if OpenSSL has one, fires the error and closes the channel.
    private func fail(_ context: ChannelHandlerContext, with error: TLSError) {
        if case .ended = state { return }
        if case .peerRefused = error { connection.close() }
        sendOutput(context)
        end(context, throwing: error)
        context.close(promise: nil)
    }

    private func end(_ context: ChannelHandlerContext, throwing error: TLSError?) {
        if case .handshaking(let deadline) = state { deadline.cancel() }
        state = .ended
        writes.failAll(error ?? .closed)
        if let error { context.fireErrorCaught(error) }
    }
}

@available(*, unavailable, message: "belongs to the event loop of its channel")
extension TLSHandler: Sendable {}
