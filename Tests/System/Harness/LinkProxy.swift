import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Stands before a port of the loopback and passes on what the ``TestNetwork`` lets through.
final class LinkProxy: Sendable {
    private let network: TestNetwork
    /// Who connects; nil: told from the connection.
    private let client: TestNetwork.Place?
    private let server: TestNetwork.Place
    private let backend: NIOLockedValueBox<Int?>
    private let listener = NIOLockedValueBox<(any NIOCore.Channel)?>(nil)
    private let links = NIOLockedValueBox<[ObjectIdentifier: ProxiedLink]>([:])

    /// The port that stands for the other.
    let port: Int

    /// Begins to stand in for a port.
    /// - Parameters:
    ///   - client: who connects; nil: the node whose process does.
    ///   - server: who listens behind it.
    ///   - backend: where; nil: ``serve(_:)`` will tell.
    static func start(
        in network: TestNetwork, from client: TestNetwork.Place? = nil, to server: TestNetwork.Place,
        backend: Int? = nil
    ) async throws -> LinkProxy {
        let proxy = LinkProxy(network, client, server, backend, port: try FreePort.take())
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { proxy.connect($0) }
            .bind(host: "127.0.0.1", port: proxy.port).get()
        proxy.listener.withLockedValue { $0 = listener }
        network.add(proxy)
        return proxy
    }

    private init(
        _ network: TestNetwork, _ client: TestNetwork.Place?, _ server: TestNetwork.Place, _ backend: Int?, port: Int
    ) {
        self.network = network
        self.client = client
        self.server = server
        self.backend = NIOLockedValueBox(backend)
        self.port = port
    }

    /// Tells where to pass things on.
    func serve(_ backend: Int) { self.backend.withLockedValue { $0 = backend } }

    /// What was kept and is cut no longer goes on its way.
    func networkChanged() { for link in links.withLockedValue({ Array($0.values) }) { link.passSoon() } }

    /// Ends it and its connections.
    func stop() async {
        try? await listener.withLockedValue(\.self)?.close()
        for link in links.withLockedValue({ Array($0.values) }) { link.breakSoon() }
    }

    fileprivate func ended(_ link: ProxiedLink) { links.withLockedValue { $0[ObjectIdentifier(link)] = nil } }

    /// Who has made a connection. To be asked when it is open: before that it has no address.
    fileprivate func place(of connection: any NIOCore.Channel) -> TestNetwork.Place? {
        client ?? connection.remoteAddress?.port.flatMap { network.place(ofPort: $0) }
    }

    /// Whether nothing gets from that place to the server, or back.
    fileprivate func isCut(from place: TestNetwork.Place?, isBack: Bool) -> Bool {
        isBack ? network.isCut(from: server, to: place) : network.isCut(from: place, to: server)
    }

    private func connect(_ client: any NIOCore.Channel) -> EventLoopFuture<Void> {
        guard let backend = backend.withLockedValue(\.self) else { return client.close() }
        return ClientBootstrap(group: client.eventLoop).channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: backend)
            .flatMap { server in
                let link = ProxiedLink(client: client, server: server, proxy: self)
                self.links.withLockedValue { $0[ObjectIdentifier(link)] = link }
                return client.eventLoop.makeCompletedFuture {
                    try client.pipeline.syncOperations.addHandler(ProxiedLink.Tap(link.forth, link))
                    try server.pipeline.syncOperations.addHandler(ProxiedLink.Tap(link.back, link))
                }.flatMap {
                    client.setOption(.autoRead, value: true).and(server.setOption(.autoRead, value: true)).map { _ in }
                }
            }
    }
}

/// One connection through the proxy, both of its ends on one event loop.
///
/// `@unchecked Sendable` is sound because everything that changes is touched on that loop alone: the taps run there, and
/// `passSoon` and `breakSoon` go there.
private final class ProxiedLink: @unchecked Sendable {
    /// What goes one way.
    final class Direction {
        fileprivate let target: any NIOCore.Channel
        fileprivate let isBack: Bool
        fileprivate var kept: [ByteBuffer] = []
        /// The end that it comes from is gone.
        fileprivate var hasEnded = false

        fileprivate init(to target: any NIOCore.Channel, isBack: Bool) {
            self.target = target
            self.isBack = isBack
        }
    }

    let forth: Direction
    let back: Direction
    private let proxy: LinkProxy
    private let eventLoop: any EventLoop

    /// Who has made it, asked when the first bytes go through.
    private lazy var place = proxy.place(of: back.target)

    init(client: any NIOCore.Channel, server: any NIOCore.Channel, proxy: LinkProxy) {
        forth = Direction(to: server, isBack: false)
        back = Direction(to: client, isBack: true)
        self.proxy = proxy
        eventLoop = client.eventLoop
    }

    func passSoon() {
        eventLoop.execute {
            self.pass(self.forth)
            self.pass(self.back)
        }
    }

    func breakSoon() {
        eventLoop.execute {
            self.forth.target.close(promise: nil)
            self.back.target.close(promise: nil)
        }
    }

    /// Passes on what came one way, and after it the end, unless the way is cut.
    func pass(_ direction: Direction) {
        guard !proxy.isCut(from: place, isBack: direction.isBack) else { return }
        for bytes in direction.kept { direction.target.write(bytes, promise: nil) }
        direction.kept.removeAll()
        guard direction.hasEnded else { return direction.target.flush() }
        let target = direction.target
        target.writeAndFlush(ByteBuffer()).whenComplete { _ in target.close(promise: nil) }
        if forth.hasEnded && back.hasEnded { proxy.ended(self) }
    }

    /// Hands what one end reads to its direction.
    final class Tap: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let direction: Direction
        private let link: ProxiedLink

        init(_ direction: Direction, _ link: ProxiedLink) {
            self.direction = direction
            self.link = link
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            direction.kept.append(unwrapInboundIn(data))
            link.pass(direction)
        }

        func channelInactive(context: ChannelHandlerContext) {
            direction.hasEnded = true
            link.pass(direction)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
