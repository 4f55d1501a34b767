import FluxSecurity
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Settings of the port for people and bots.
public struct ClientPortConfiguration: Sendable {
    /// Whose `X-Forwarded-For` is believed.
    public var trustedProxies = TrustedProxies.none
    /// With a context the port speaks TLS only. Its certificate can be replaced while the port is open.
    public var tls: TLSContext?
    /// Time-outs and bounds of HTTP.
    public var limits = HTTPConnectionState.Limits()
    /// Bytes of one header field; beyond, 431.
    public var headerFieldSize = 16 * 1024
    /// Bytes of all header fields of a request; beyond, 431.
    public var headerListSize = 32 * 1024
    /// Header fields of a request; beyond, 431.
    public var headerFieldCount = 100

    public init() {}
}

extension HTTPServerBuilder {
    /// One port for REST and the gateway: requests go to the application's router, WebSocket upgrades on `/` and
    /// `/gateway` to `gateway`.
    public static func clientPort(
        gateway: Gateway, configuration: ClientPortConfiguration = ClientPortConfiguration()
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            ClientPort(gateway: gateway, configuration: configuration, responder: responder)
        }
    }
}

/// How hummingbird's server serves the client port: every connection begins as HTTP/1.1, and those that upgrade leave
/// hummingbird's hands. A connection has a task only while it speaks HTTP.
struct ClientPort: HTTPChannelHandler {
    typealias RouterChannel = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// An accepted connection.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        /// The router's end of it, once there is an ordinary request; nil if there never was one.
        let router: EventLoopFuture<RouterChannel?>
    }

    let gateway: Gateway
    let configuration: ClientPortConfiguration
    let responder: Responder

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
            let pipeline = channel.pipeline.syncOperations
            if let tls = configuration.tls { try pipeline.addHandler(tls.makeHandler()) }

            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = configuration.headerFieldSize
            limits.maxHeaderListSize = configuration.headerListSize
            limits.maxHeaderFieldCount = configuration.headerFieldCount
            let router = channel.eventLoop.makePromise(of: RouterChannel?.self)
            try pipeline.addHandler(HTTPResponseEncoder())
            try pipeline.addHandler(
                ByteToMessageHandler(
                    HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)))
            try pipeline.addHandler(
                HTTPConnectionHandler(
                    gateway: gateway, trustedProxies: configuration.trustedProxies, limits: configuration.limits,
                    isSecure: configuration.tls != nil, router: router))
            return Value(channel: channel, router: router.futureResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        guard let channel = try? await value.router.get() else { return }
        await handleHTTP(asyncChannel: channel, logger: logger)
    }
}
