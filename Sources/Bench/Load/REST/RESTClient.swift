import Collections
import NIOCore
import NIOHTTP1
import NIOPosix

/// A client of the REST API for one event loop: to each node so many connections at most, kept and used again; more requests
/// wait in order. To be used on its loop only.
final class RESTClient {
    private struct Pool {
        var idle: [RESTConnection] = []
        /// All, also those that are being made.
        var count = 0
        var connecting = 0
        var waiting: Deque<(request: RESTRequest, promise: EventLoopPromise<RESTAnswer>)> = []
    }

    private let eventLoop: any EventLoop
    private let width: Int
    private let limit: TimeAmount
    private var pools: [Target: Pool] = [:]
    private var isClosed = false

    /// - Parameters:
    ///   - width: connections to each node.
    ///   - limit: how long an answer may take.
    init(on eventLoop: any EventLoop, width: Int, limit: TimeAmount) {
        self.eventLoop = eventLoop
        self.width = width
        self.limit = limit
    }

    /// Makes a request. Fails with a ``RESTFailure``.
    func send(_ request: RESTRequest, to target: Target) -> EventLoopFuture<RESTAnswer> {
        let promise = eventLoop.makePromise(of: RESTAnswer.self)
        pools[target, default: Pool()].waiting.append((request, promise))
        advance(target)
        return promise.futureResult
    }

    /// Ends all connections.
    func close() {
        isClosed = true
        for pool in pools.values { for connection in pool.idle { connection.close() } }
        for target in pools.keys { failWaiting(at: target, with: .unreachable) }
    }

    private func advance(_ target: Target) {
        while let waiting = pools[target]?.waiting.first {
            if let connection = pools[target]?.idle.popLast() {
                guard connection.isUsable else { continue }
                pools[target]?.waiting.removeFirst()
                connection.send(waiting.request, within: limit, waiting.promise)
            } else {
                connectIfNeeded(target)
                return
            }
        }
    }

    private func connectIfNeeded(_ target: Target) {
        guard !isClosed, let pool = pools[target], pool.count < width, pool.connecting < pool.waiting.count else {
            return
        }
        pools[target]?.count += 1
        pools[target]?.connecting += 1
        let client = NIOLoopBound(self, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(.seconds(5))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    let client = client.value
                    try channel.pipeline.syncOperations.addHandler(
                        RESTConnection(to: target) { [weak client] in client?.becameFree($0, isUsable: $1) })
                }
            }
            .connect(host: target.host, port: target.port)
            .whenComplete { result in client.value.connected(to: target, result) }
    }

    private func connected(to target: Target, _ result: Result<any Channel, any Error>) {
        pools[target]?.connecting -= 1
        // A connection may have ended before it is known to have been made.
        guard case .success(let channel) = result,
            let connection = try? channel.pipeline.syncOperations.handler(type: RESTConnection.self),
            connection.isUsable
        else {
            pools[target]?.count -= 1
            // Whoever waits may try elsewhere; those who have a connection go on.
            if pools[target]?.count == 0 { failWaiting(at: target, with: .unreachable) }
            return
        }
        connection.isPooled = true
        if isClosed { return connection.close() }
        becameFree(connection, isUsable: true)
    }

    private func becameFree(_ connection: RESTConnection, isUsable: Bool) {
        let target = connection.target
        if isUsable {
            if isClosed { return connection.close() }
            pools[target]?.idle.append(connection)
        } else {
            pools[target]?.idle.removeAll { $0 === connection }
            pools[target]?.count -= 1
        }
        advance(target)
    }

    private func failWaiting(at target: Target, with failure: RESTFailure) {
        guard let waiting = pools[target]?.waiting else { return }
        pools[target]?.waiting = []
        for (_, promise) in waiting { promise.fail(failure) }
    }
}
