import NIOCore

/// The bounds of the links of one node (I8), and what happens at them.
public struct LinkLimits: Sendable {
    /// The largest frame, bytes. `send` refuses a larger one (`tooLarge`), a peer that sends one is cut off.
    public var frameByteCount = 16 * 1024 * 1024
    /// The largest frame of a handshake, bytes.
    public var handshakeFrameByteCount = 4096
    /// Bytes of calls and replies that one peer may send before it is given credit.
    public var controlWindow = 4 * 1024 * 1024
    /// Bytes of events that one peer may send before it is given credit.
    public var bulkWindow = 16 * 1024 * 1024
    /// Bytes of calls and replies that wait for one peer; at the bound `send` refuses (`full`), and a reply that finds no
    /// room ends the link, so that its caller need not wait for the deadline.
    public var controlQueue = 16 * 1024 * 1024
    /// Bytes of events that wait for one peer; at the bound `send` refuses (`full`).
    public var bulkQueue = 64 * 1024 * 1024
    /// Accepted connections whose handshake is not done. One more, and the oldest of them is closed: an honest handshake takes
    /// milliseconds, so that who does nothing pushes out only others who do nothing.
    public var halfOpen = 128
    /// A connection that is not part of a link by then is closed.
    public var handshakeTime = TimeAmount.seconds(5)
    /// A dial that has no TCP connection by then has failed.
    public var connectTime = TimeAmount.seconds(3)
    /// How often each end of each connection says that it is there.
    public var pulse = TimeAmount.seconds(1)
    /// A connection on which nothing came for so long is lost.
    public var silence = TimeAmount.seconds(4)
    /// How long a connection that was refused stays half open, so that the reason reaches the peer.
    public var farewellTime = TimeAmount.seconds(1)
    /// When a lost or refused peer is dialled again.
    public var backoff = LinkBackoff()

    /// The defaults.
    public init() {}

    func window(of lane: TransportLane) -> Int { lane == .control ? controlWindow : bulkWindow }
    func queue(of lane: TransportLane) -> Int { lane == .control ? controlQueue : bulkQueue }
}
