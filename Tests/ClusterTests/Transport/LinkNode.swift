import FluxSecurity
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import FluxCluster

/// Keeps what comes over the links of one node, in order.
final class FrameRecorder: FrameReceiver {
    enum Entry: Equatable {
        case frame(NodeID, [UInt8])
        case lost(NodeID)
    }

    private struct State {
        var entries: [Entry] = []
        var isCongested = false
        var refuses = false
    }

    private let state = NIOLockedValueBox(State())

    var entries: [Entry] { state.withLockedValue { $0.entries } }

    /// The frames alone.
    var frames: [[UInt8]] {
        entries.compactMap { if case .frame(_, let bytes) = $0 { bytes } else { nil } }
    }

    var losses: Int { entries.count { if case .lost = $0 { true } else { false } } }

    var isCongested: Bool {
        get { state.withLockedValue { $0.isCongested } }
        set { state.withLockedValue { $0.isCongested = newValue } }
    }

    /// Frames cannot be read while this is set.
    func refuse(_ refuses: Bool) { state.withLockedValue { $0.refuses = refuses } }

    func receive(_ bytes: [UInt8], from node: NodeID) throws(WireError) {
        let refuses = state.withLockedValue { state in
            if !state.refuses { state.entries.append(.frame(node, bytes)) }
            return state.refuses
        }
        if refuses { throw .truncated }
    }

    func linkMade(to node: NodeID) {}

    func linkLost(to node: NodeID) {
        state.withLockedValue { $0.entries.append(.lost(node)) }
    }
}

/// One end of links, with a recorder in place of the actor system.
final class LinkNode: Sendable {
    let identity: NodeIdentity
    let transport: LinkTransport
    let recorder = FrameRecorder()
    let port: Int
    private let events: NIOLockedValueBox<[LinkEvent]>

    var id: NodeID { identity.id }
    var address: PeerAddress { PeerAddress(host: "127.0.0.1", port: UInt16(port)) }

    init(
        _ number: UInt16, incarnation: Int64 = 1, cluster: ClusterID,
        security: LinkSecurity = .plaintextOnLoopback, accepting fingerprints: Set<CertificateFingerprint> = [],
        adjust: (inout LinkConfiguration) -> Void = { _ in }
    ) async throws {
        identity = NodeIdentity(name: "node-\(number)", id: NodeID(rawValue: number)!, incarnation: incarnation)
        let events = NIOLockedValueBox<[LinkEvent]>([])
        self.events = events
        var configuration = LinkConfiguration.test(cluster, security)
        configuration.onEvent = { event in events.withLockedValue { $0.append(event) } }
        adjust(&configuration)
        transport = LinkTransport(configuration, identity: identity, group: MultiThreadedEventLoopGroup.singleton)
        transport.attach(receiver: recorder)
        transport.accept(only: fingerprints)
        port = try await transport.start().port ?? 0
    }

    func link(to nodes: LinkNode...) {
        transport.link(to: Dictionary(uniqueKeysWithValues: nodes.map { ($0.id, $0.address) }))
    }

    func isLinked(to node: LinkNode) -> Bool { transport.version(of: node.id) != nil }

    func send(_ frame: [UInt8], to node: LinkNode, over lane: TransportLane = .control) -> Bool {
        transport.send(frame, over: lane, to: node.id) == .accepted
    }

    var ups: Int { count { if case .up = $0 { true } else { false } } }

    func wasRefused(by node: LinkNode, _ refusal: LinkRefusal) -> Bool {
        count { if case .refusedByPeer(node.id, refusal) = $0 { true } else { false } } > 0
    }

    func refused(_ refusal: LinkRefusal) -> Bool {
        count { if case .refusedPeer(_, refusal) = $0 { true } else { false } } > 0
    }

    func failedToReach(_ node: LinkNode) -> Bool {
        count { if case .unreachable(node.id, _) = $0 { true } else { false } } > 0
    }

    private func count(_ matches: (LinkEvent) -> Bool) -> Int {
        events.withLockedValue { $0.count(where: matches) }
    }

    func stop() async { await transport.stop() }
}

/// Waits until both have a link to each other.
func untilLinked(_ one: LinkNode, _ two: LinkNode, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    try await eventually("\(one.identity.name) and \(two.identity.name) are linked", sourceLocation: sourceLocation) {
        one.isLinked(to: two) && two.isLinked(to: one)
    }
}

/// Somebody who says whatever he likes to a port, and keeps what he hears.
final class RawPeer: Sendable {
    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let heard: NIOLockedValueBox<[UInt8]>
        init(_ heard: NIOLockedValueBox<[UInt8]>) { self.heard = heard }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            heard.withLockedValue { $0.append(contentsOf: bytes.readableBytesView) }
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let channel: any Channel
    private let heardBytes: NIOLockedValueBox<[UInt8]>
    private let ended = NIOLockedValueBox(false)

    init(port: Int, tls: TLSContext? = nil) async throws {
        let heard = NIOLockedValueBox<[UInt8]>([])
        heardBytes = heard
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(try tls.makeHandler()) }
                    try channel.pipeline.syncOperations.addHandler(Listener(heard))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let ended = self.ended
        channel.closeFuture.whenComplete { _ in ended.withLockedValue { $0 = true } }
    }

    var heard: [UInt8] { heardBytes.withLockedValue { $0 } }
    var isClosed: Bool { ended.withLockedValue { $0 } }

    /// The frames that were heard, as far as they can be read.
    var frames: [LinkFrame] {
        var decoder = RawFrameDecoder(limit: 1 << 20)
        decoder.append(ByteBuffer(bytes: heard))
        var frames: [LinkFrame] = []
        while let raw = try? decoder.next(), let frame = try? LinkFrame(raw) { frames.append(frame) }
        return frames
    }

    func say(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    func say(_ frame: LinkFrame) {
        var buffer = ByteBuffer()
        frame.encode(into: &buffer)
        channel.writeAndFlush(buffer, promise: nil)
    }

    func close() { channel.close(promise: nil) }
}
