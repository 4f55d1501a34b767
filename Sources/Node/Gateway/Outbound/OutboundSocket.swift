import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The way of a connection's bytes to the network: straight into the socket where that keeps order, else the channel.
///
/// A plaintext connection whose channel has nothing queued is sent to with `send`, without the channel's queue, promise
/// and `iovec`. When the socket is full the rest goes to the channel, and until the channel reports that it is done
/// nothing else may be sent: that keeps the order. The first write always takes the channel, which may still hold the
/// end of an HTTP response.
struct OutboundSocket {
    enum Outcome {
        /// Everything is with the kernel.
        case sent
        /// A part at most; what is left in the buffer has to go through the channel.
        case full
        /// Nothing: this connection's bytes have to go through the channel.
        case useChannel
        /// The connection is broken.
        case failed
    }

    private var descriptor: NIOBSDSocket.Handle?

    /// Bytes that the channel holds.
    private(set) var unsent = 0

    /// Whether the channel holds bytes, so that nothing else may be sent.
    var isBusy: Bool { unsent > 0 }

    /// Sends what is readable in `buffer`, as far as the socket takes it, and moves its reader index behind that.
    mutating func send(_ buffer: inout ByteBuffer, on channel: any Channel) -> Outcome {
        // A channel closes its descriptor in the same step in which it becomes inactive, on this loop: while it is
        // active the number cannot belong to another connection.
        guard let descriptor, channel.isActive else { return .useChannel }
        let count = buffer.readableBytes
        let sent = buffer.withUnsafeReadableBytes { bytes in
            sendWithoutWaiting(descriptor, bytes)
        }
        if sent == count {
            buffer.moveReaderIndex(forwardBy: sent)
            return .sent
        }
        if sent >= 0 {
            buffer.moveReaderIndex(forwardBy: sent)
            return .full
        }
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? .full : .failed
    }

    /// The channel has been given `count` bytes, more than none.
    mutating func handedOver(_ count: Int) {
        unsent = count
    }

    /// The channel has passed on what it was given.
    mutating func channelHasSent(on context: ChannelHandlerContext, isSecure: Bool) {
        unsent = 0
        guard descriptor == nil, !isSecure else { return }
        descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self, { $0 })
    }

    /// The channel is closed.
    mutating func closed() {
        descriptor = nil
    }

    private func sendWithoutWaiting(_ descriptor: NIOBSDSocket.Handle, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
            return Darwin.send(descriptor, bytes.baseAddress, bytes.count, MSG_DONTWAIT)
        #elseif canImport(Musl)
            return Musl.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
        #else
            return Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
        #endif
    }
}
