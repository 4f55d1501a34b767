import NIOCore

/// The client's end of one gateway connection: the handshake, frames, and one write for everything that was put in during a
/// turn. It knows nothing of payloads.
final class GatewayConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Where what happens on the connection goes. All calls are made on its event loop.
    protocol Delegate: AnyObject {
        /// A whole text message. The bytes are good during the call only.
        func connection(_ connection: GatewayConnection, received message: UnsafeRawBufferPointer)
        func connection(_ connection: GatewayConnection, broke rule: String)
        /// It is gone.
        func connectionEnded(_ connection: GatewayConnection, closeCode: Int?)
    }

    private let target: Target
    private let isBatched: Bool
    private weak var delegate: (any Delegate)?
    private var mask: UInt32
    private var context: ChannelHandlerContext?
    private var isUpgraded = false
    private var hasEnded = false
    private var closeCode: Int?
    /// What came and is not a whole frame yet.
    private var received = ByteBuffer()
    /// The parts of a fragmented message.
    private var fragments: ByteBuffer?
    private var outgoing = ByteBuffer()

    init(to target: Target, isBatched: Bool, mask: UInt32, delegate: any Delegate) {
        self.target = target
        self.isBatched = isBatched
        self.mask = mask | 1
        self.delegate = delegate
    }

    // MARK: Writing

    /// Puts a text message into the buffer; ``flush()`` sends it.
    func put(_ payload: [UInt8]) { put(ClientFrame.text, payload) }

    private func put(_ opcode: UInt8, _ payload: some Collection<UInt8>) {
        mask = mask &* 1_664_525 &+ 1_013_904_223
        ClientFrame.write(opcode, payload, mask: mask, into: &outgoing)
    }

    /// Sends what was put in.
    func flush() {
        guard let context, isUpgraded, outgoing.readableBytes > 0 else { return }
        let bytes = outgoing
        outgoing = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// Closes the connection with a code.
    func close(code: UInt16) {
        guard let context else { return }
        if isUpgraded {
            put(ClientFrame.close, [UInt8(code >> 8), UInt8(code & 0xFF)])
            flush()
        }
        context.close(promise: nil)
    }

    // MARK: Reading

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelActive(context: ChannelHandlerContext) {
        let request = ByteBuffer(string: Upgrade.request(to: target, isBatched: isBatched))
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
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
        delegate?.connectionEnded(self, closeCode: closeCode)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
        let consumed = received.withUnsafeReadableBytes { bytes in read(bytes, context) }
        guard let consumed else { return }
        received.moveReaderIndex(forwardBy: consumed)
        if received.readableBytes == 0 { received = ByteBuffer() } else { received.discardReadBytes() }
    }

    /// - Returns: how many bytes were used up; nil when the connection is being closed.
    private func read(_ bytes: UnsafeRawBufferPointer, _ context: ChannelHandlerContext) -> Int? {
        var position = 0
        if !isUpgraded {
            switch Upgrade.read(bytes) {
            case .needsMore: return 0
            case .refused(let answer): return broken("the upgrade was answered: \(answer)", context)
            case .upgraded(let length):
                isUpgraded = true
                position = length
            }
        }
        while true {
            switch FrameReader.read(bytes, from: position) {
            case .needsMore: return position
            case .violation(let rule): return broken(rule, context)
            case .frame(let frame):
                guard take(frame, of: bytes, context) else { return nil }
                position = frame.end
            }
        }
    }

    /// - Returns: whether the connection goes on.
    private func take(_ frame: FrameReader.Frame, of bytes: UnsafeRawBufferPointer, _ context: ChannelHandlerContext)
        -> Bool
    {
        let payload = UnsafeRawBufferPointer(rebasing: bytes[frame.payload])
        switch frame.opcode {
        case 8:
            closeCode = payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil
            put(ClientFrame.close, payload.prefix(2))
            flush()
            context.close(promise: nil)
            return false
        case 9:
            put(ClientFrame.pong, payload)
            flush()
        case 10:
            break
        case 0:
            guard var whole = fragments else { return broken("a continuation of nothing", context) != nil }
            guard whole.readableBytes + payload.count <= FrameReader.maximumMessage else {
                return broken("a message of more than \(FrameReader.maximumMessage) bytes", context) != nil
            }
            whole.writeBytes(payload)
            fragments = frame.isFinal ? nil : whole
            if frame.isFinal { whole.withUnsafeReadableBytes { delegate?.connection(self, received: $0) } }
        case 1:
            guard fragments == nil else { return broken("a message within a message", context) != nil }
            if frame.isFinal {
                delegate?.connection(self, received: payload)
            } else {
                fragments = ByteBuffer(bytes: payload)
            }
        default:
            return broken("a binary message, though no compression was asked for", context) != nil
        }
        return !hasEnded
    }

    private func broken(_ rule: String, _ context: ChannelHandlerContext) -> Int? {
        delegate?.connection(self, broke: rule)
        context.close(promise: nil)
        return nil
    }
}
