import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Stands between a node and its Postgres and does what a bad network does, at the worst moment: when the fence of a batch
/// has been passed on and its COMMIT has not.
///
/// It reads as much of Postgres's protocol as that takes. Other connections than those of lanes are only passed through.
final class PostgresProxy: Sendable {
    /// What happens to the next batch that a lane sends.
    enum Fault: Sendable, Equatable {
        /// Nothing more is passed on for so long, then it goes on. When the node is gone by then, what it has sent is still
        /// passed on, COMMIT too.
        case stall(TimeAmount)
        /// Nothing more is passed on for so long, then the connection breaks.
        case stallAndBreak(TimeAmount)
        /// The whole batch is passed on, its answer is not: the connection breaks when the commit is done.
        case loseAnswer
    }

    private struct State {
        var armed: Fault?
        var strikes = 0
        var links: [ObjectIdentifier: PostgresLink] = [:]
    }

    private let state = NIOLockedValueBox(State())
    private let server: any NIOCore.Channel

    /// The port that stands for Postgres.
    let port: Int

    /// Begins to stand in for the Postgres on a port of the loopback.
    static func start(before backend: Int) async throws -> PostgresProxy {
        let port = try FreePort.take()
        let state = NIOLockedValueBox<PostgresProxy?>(nil)
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                guard let proxy = state.withLockedValue(\.self) else { return client.close() }
                return proxy.connect(client, to: backend)
            }
            .bind(host: "127.0.0.1", port: port).get()
        let proxy = PostgresProxy(server, port: port)
        state.withLockedValue { $0 = proxy }
        return proxy
    }

    private init(_ server: any NIOCore.Channel, port: Int) {
        self.server = server
        self.port = port
    }

    /// How often a fault has struck.
    var strikes: Int { state.withLockedValue(\.strikes) }

    /// Makes the fault strike the next batch.
    func arm(_ fault: Fault) { state.withLockedValue { $0.armed = fault } }

    /// Makes the fault strike the next batch and waits until it has: its fence is in, its COMMIT is not.
    func strike(_ fault: Fault) async throws {
        let before = strikes
        arm(fault)
        try await waitForStrike(after: before)
    }

    /// Waits until more faults have struck than that.
    func waitForStrike(after count: Int) async throws {
        _ = try await eventually("a batch for the fault to strike", every: .milliseconds(2)) {
            strikes > count ? true : nil
        }
    }

    /// Breaks every connection.
    func breakAll() {
        for link in state.withLockedValue({ Array($0.links.values) }) { link.breakSoon() }
    }

    /// Ends.
    func stop() async throws {
        try await server.close()
        breakAll()
    }

    fileprivate func takeFault() -> Fault? {
        state.withLockedValue { state in
            guard let fault = state.armed else { return nil }
            state.armed = nil
            state.strikes += 1
            return fault
        }
    }

    fileprivate func ended(_ link: PostgresLink) {
        state.withLockedValue { $0.links[ObjectIdentifier(link)] = nil }
    }

    private func connect(_ client: any NIOCore.Channel, to backend: Int) -> EventLoopFuture<Void> {
        ClientBootstrap(group: client.eventLoop).channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: backend)
            .flatMap { server in
                let link = PostgresLink(client: client, server: server, proxy: self)
                self.state.withLockedValue { $0.links[ObjectIdentifier(link)] = link }
                return client.eventLoop.makeCompletedFuture {
                    try client.pipeline.syncOperations.addHandler(PostgresLink.Tap(link, isClient: true))
                    try server.pipeline.syncOperations.addHandler(PostgresLink.Tap(link, isClient: false))
                }.flatMap {
                    client.setOption(.autoRead, value: true).and(server.setOption(.autoRead, value: true)).map { _ in }
                }
            }
    }
}

/// One connection through the proxy, both of its ends on one event loop.
///
/// `@unchecked Sendable` is sound because everything that changes is touched on that loop alone: the taps run there, and
/// `breakSoon` goes there.
private final class PostgresLink: @unchecked Sendable {
    private let client: any NIOCore.Channel
    private let server: any NIOCore.Channel
    private let proxy: PostgresProxy

    /// What the client has sent and has not been passed on.
    private var pending = ByteBuffer()
    private var isStarted = false
    private var isLane = false
    private var bound = ""
    /// Nothing of the client is passed on.
    private var isHeld = false
    /// Nothing of the server is passed on.
    private var isSwallowing = false
    private var isClientGone = false

    init(client: any NIOCore.Channel, server: any NIOCore.Channel, proxy: PostgresProxy) {
        self.client = client
        self.server = server
        self.proxy = proxy
    }

    func breakSoon() { client.eventLoop.execute { self.breakNow() } }

    private func breakNow() {
        client.close(promise: nil)
        server.close(promise: nil)
        proxy.ended(self)
    }

    // MARK: From the client

    func received(fromClient bytes: inout ByteBuffer) {
        pending.writeBuffer(&bytes)
        pass()
    }

    /// A client that is gone leaves what it has sent: a network delivers that, too.
    func clientGone() {
        isClientGone = true
        if !isHeld { breakNow() }
    }

    private func pass() {
        while !isHeld, let message = nextMessage() {
            let strikes = isFence(message)
            server.write(message, promise: nil)
            if strikes, let fault = proxy.takeFault() { begin(fault) }
        }
        server.flush()
    }

    private func begin(_ fault: PostgresProxy.Fault) {
        switch fault {
        case .loseAnswer:
            isSwallowing = true
        case .stall(let time):
            isHeld = true
            client.eventLoop.scheduleTask(in: time) { self.goOn() }
        case .stallAndBreak(let time):
            isHeld = true
            client.eventLoop.scheduleTask(in: time) { self.breakNow() }
        }
    }

    private func goOn() {
        isHeld = false
        pass()
        guard isClientGone else { return }
        server.writeAndFlush(ByteBuffer()).whenComplete { _ in self.breakNow() }
    }

    /// The next whole message: of one kind before the session has started, of another afterwards.
    private func nextMessage() -> ByteBuffer? {
        let header = isStarted ? 1 : 0
        guard
            let length = pending.getInteger(at: pending.readerIndex + header, as: UInt32.self),
            let message = pending.readSlice(length: header + Int(length))
        else { return nil }
        pending.discardReadBytes()
        if !isStarted { readStartup(message) }
        return message
    }

    private func readStartup(_ message: ByteBuffer) {
        // Version 3.0; anything else asks for encryption or a cancellation, and what follows has the same form.
        guard message.getInteger(at: message.readerIndex + 4, as: UInt32.self) == 196_608 else { return }
        isStarted = true
        let fields = message.readableBytesView.dropFirst(8).split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        if let index = fields.firstIndex(of: "application_name"), index + 1 < fields.count {
            isLane = fields[index + 1].contains("/lane-")
        }
    }

    /// Whether the message executes the fence: a Bind names the statement, the next Execute runs it.
    private func isFence(_ message: ByteBuffer) -> Bool {
        guard isStarted, isLane else { return false }
        switch message.readableBytesView.first {
        case UInt8(ascii: "B"):
            let names = message.readableBytesView.dropFirst(5).split(
                separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            bound = names.count > 1 ? String(decoding: names[1], as: UTF8.self) : ""
            return false
        case UInt8(ascii: "E"): return bound == "lane.fence"
        default: return false
        }
    }

    // MARK: From the server

    func received(fromServer bytes: ByteBuffer) {
        guard isSwallowing else { return client.writeAndFlush(bytes, promise: nil) }
        // What says that the transaction is durable.
        if String(decoding: bytes.readableBytesView, as: UTF8.self).contains("COMMIT") { breakNow() }
    }

    func serverGone() { breakNow() }

    /// Hands what one end reads to the link.
    final class Tap: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let link: PostgresLink
        private let isClient: Bool

        init(_ link: PostgresLink, isClient: Bool) {
            self.link = link
            self.isClient = isClient
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            if isClient { link.received(fromClient: &bytes) } else { link.received(fromServer: bytes) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            if isClient { link.clientGone() } else { link.serverGone() }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
