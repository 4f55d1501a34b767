import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A TCP proxy between two nodes: passes bytes on, until it is told to cut, or to stop reading.
final class TestProxy: Sendable {
    private struct State {
        var isCut = false
        var isStalled = false
        var channels: [ObjectIdentifier: any Channel] = [:]
        /// Both ends of each connection, by the order in which they were made.
        var pairs: [[any Channel]] = []
    }

    private let state = NIOLockedValueBox(State())
    private let listener = NIOLockedValueBox<(any Channel)?>(nil)
    let port: Int

    init(target: Int) async throws {
        let state = self.state
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                client.eventLoop.makeCompletedFuture {
                    try Self.admit(client, state)
                    let clientEnd = ProxyEnd()
                    try client.pipeline.syncOperations.addHandler(clientEnd)
                    Self.connect(client, clientEnd, to: target, state)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
        listener.withLockedValue { $0 = channel }
    }

    /// How many connections were passed on.
    var connectionCount: Int { state.withLockedValue { $0.pairs.count } }

    /// Ends all connections; new ones are closed at once.
    func cut() {
        let channels = state.withLockedValue { state in
            state.isCut = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// Takes connections again.
    func heal() {
        state.withLockedValue { $0.isCut = false }
    }

    /// Ends all connections once; new ones are taken.
    func drop() {
        for channel in state.withLockedValue({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }

    /// Reads nothing any more, from either side: bytes pile up where they come from.
    func stall() { setStalled(true) }

    /// Reads again.
    func resume() { setStalled(false) }

    func stop() async {
        try? await listener.withLockedValue { $0 }?.close()
        cut()
    }

    /// Reads nothing any more of one connection.
    func stall(connection index: Int) {
        for channel in state.withLockedValue({ $0.pairs[index] }) {
            channel.setOption(.autoRead, value: false).whenComplete { _ in }
        }
    }

    private func setStalled(_ isStalled: Bool) {
        let channels = state.withLockedValue { state in
            state.isStalled = isStalled
            return Array(state.channels.values)
        }
        for channel in channels { channel.setOption(.autoRead, value: !isStalled).whenComplete { _ in } }
    }

    private static func admit(_ channel: any Channel, _ state: NIOLockedValueBox<State>) throws {
        let isAdmitted = state.withLockedValue { state in
            guard !state.isCut else { return false }
            state.channels[ObjectIdentifier(channel)] = channel
            return true
        }
        guard isAdmitted else { throw ChannelError.ioOnClosedChannel }
        channel.closeFuture.whenComplete { _ in
            state.withLockedValue { $0.channels[ObjectIdentifier(channel)] = nil }
        }
    }

    private static func connect(
        _ client: any Channel, _ clientEnd: ProxyEnd, to port: Int, _ state: NIOLockedValueBox<State>
    ) {
        let bound = NIOLoopBound(clientEnd, eventLoop: client.eventLoop)
        ClientBootstrap(group: client.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelInitializer { server in
                server.eventLoop.makeCompletedFuture {
                    try admit(server, state)
                    let serverEnd = ProxyEnd()
                    serverEnd.partner = client
                    bound.value.partner = server
                    try server.pipeline.syncOperations.addHandler(serverEnd)
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .whenComplete { result in
                guard case .success(let server) = result else { return client.close(promise: nil) }
                let isStalled = state.withLockedValue { state in
                    state.pairs.append([client, server])
                    return state.isStalled
                }
                for channel in [client, server] {
                    channel.setOption(.autoRead, value: !isStalled).whenComplete { _ in }
                }
            }
    }
}

/// Hands on what one side sends; both sides are on one loop.
private final class ProxyEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    var partner: (any Channel)?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        partner?.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        partner?.close(promise: nil)
        partner = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
