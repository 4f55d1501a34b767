import FluxSecurity
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// The way to the other nodes over TCP: the cluster port, and the links to whom this node is told to link to.
///
/// Two connections per pair of nodes, one for calls and one for events, so that a full one never delays the other. `send` accepts a
/// frame into a bounded queue or says why not; an accepted frame arrives once, in order, or not at all when the link breaks.
/// A peer gets only as far ahead as it was given credit. A link is lost when either connection ends or falls silent; the actor
/// system hears that exactly once, after everything that came over the link. Then it is made again, by either side, less and less
/// often.
///
/// Who does not speak the protocol, belongs elsewhere, or shows no member's certificate is refused with a reason, and costs at
/// most one of a bounded number of half-open connections for a few seconds. `docs/wire.md` has the protocol.
public final class LinkTransport: Transport {
    private enum Life: Sendable {
        case detached
        case attached(LinkCore)
        case listening(LinkCore, any Channel)
        case stopped(LinkCore?)

        var core: LinkCore? {
            switch self {
            case .attached(let core), .listening(let core, _): core
            case .stopped(let core): core
            case .detached: nil
            }
        }
    }

    private let configuration: LinkConfiguration
    private let identity: NodeIdentity
    private let group: any EventLoopGroup
    private let life = NIOLockedValueBox(Life.detached)
    private let registry = LinkRegistry()

    /// A transport that does nothing before it is attached and started. `group`: the loops that connections live on.
    public init(_ configuration: LinkConfiguration, identity: NodeIdentity, group: any EventLoopGroup) {
        self.configuration = configuration
        self.identity = identity
        self.group = group
    }

    /// How this node writes, and what it reads.
    public var dialect: WireDialect { configuration.dialect }

    // MARK: Sending

    /// Accepts a frame for the node, or says what stands against it.
    public func send(_ frame: [UInt8], over lane: TransportLane, to node: NodeID) -> TransportOutcome {
        guard let link = registry.link(to: node) else { return .unlinked }
        switch lane {
        case .control: return link.control.append(frame)
        case .bulk: return link.bulk.append(frame)
        }
    }

    /// The version agreed on with the node; nil without a link.
    public func version(of node: NodeID) -> WireVersion? {
        registry.link(to: node)?.version
    }

    /// The features that both ends of the link to the node have; nil without a link.
    public func features(of node: NodeID) -> LinkFeatures? {
        registry.link(to: node)?.features
    }

    /// Ends the link to the node, which is told that too much waits for it.
    public func breakLink(to node: NodeID) {
        registry.link(to: node)?.control.giveUp()
    }

    /// Who is linked now.
    public var linked: [NodeIdentity] {
        registry.all.map(\.identity)
    }

    /// Where frames go from now on.
    public func attach(_ system: ClusterActorSystem) {
        attach(receiver: system)
    }

    func attach(receiver: any FrameReceiver) {
        let core = LinkCore(
            configuration, identity: identity, receiver: receiver, registry: registry, group: group)
        life.withLockedValue { life in
            guard case .detached = life else { preconditionFailure("a transport serves one actor system") }
            life = .attached(core)
        }
    }

    // MARK: Life

    /// Opens the cluster port and gives its address. After `attach`.
    @discardableResult
    public func start() async throws -> SocketAddress {
        guard case .attached(let core) = life.withLockedValue({ $0 }) else { throw LinkSetupError.notAttached }
        guard !configuration.security.isPlain || configuration.listen.isLoopback else {
            throw LinkSetupError.notLoopback
        }
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: LinkCore.waterMark)
            .childChannelOption(.recvAllocator, value: LinkCore.allocator)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try core.accept(channel) }
            }
            .bind(host: configuration.listen.host, port: Int(configuration.listen.port)).get()
        let isStopped = life.withLockedValue { life in
            guard case .attached = life else { return true }
            life = .listening(core, channel)
            return false
        }
        guard let address = channel.localAddress, !isStopped else {
            try await channel.close()
            throw ChannelError.ioOnClosedChannel
        }
        return address
    }

    /// These nodes are to be linked to, at these addresses; links to nodes that are no longer among them end. May change at any
    /// time. Nodes that dial this one need not be among them.
    public func link(to addresses: [NodeID: PeerAddress]) {
        core?.want(addresses)
    }

    /// Only nodes with these certificates are let in. May change at any time: links with others end at once. Nobody before this
    /// was called; without meaning where links are not secured.
    public func accept(only fingerprints: Set<CertificateFingerprint>) {
        core?.accept(only: fingerprints)
    }

    /// Closes the port and all links; peers are told. Returns when no connection is left, nor one being made.
    public func stop() async {
        let (core, listener): (LinkCore?, (any Channel)?) = life.withLockedValue { life in
            defer { life = .stopped(life.core) }
            switch life {
            case .attached(let core): return (core, nil)
            case .listening(let core, let channel): return (core, channel)
            case .detached, .stopped: return (nil, nil)
            }
        }
        try? await listener?.close()
        guard let core else { return }
        let channels = core.channels.stop()
        await core.stop()
        // Links say goodbye; what is not part of one has a moment to end by itself, and is then closed.
        for channel in channels {
            channel.eventLoop.scheduleTask(in: configuration.limits.farewellTime) { channel.close(promise: nil) }
        }
        await core.settle(channels)
    }

    /// Ends as the transport of a process that was killed: port and connections close, and nobody is told. For tests.
    func abort() async {
        guard case .listening(let core, let listener) = life.withLockedValue({ $0 }) else { return }
        try? await listener.close()
        let channels = core.channels.stop()
        for channel in channels { channel.close(promise: nil) }
        await core.stop()
        await core.settle(channels)
    }

    /// Open connections, and those whose handshake is not done, for tests.
    var connectionCounts: (open: Int, halfOpen: Int) {
        core.map { ($0.channels.count, $0.halfOpen.count) } ?? (0, 0)
    }

    private var core: LinkCore? { life.withLockedValue(\.core) }
}
