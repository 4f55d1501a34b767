import NIOCore
import NIOEmbedded

@testable import FluxSecurity

/// Keeps what a pipeline's end receives.
final class Recorder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var received: [UInt8] = []
    private(set) var errors: [TLSError] = []
    private(set) var handshake: TLSHandshake?
    private(set) var inputEnded = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.append(contentsOf: unwrapInboundIn(data).readableBytesView)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSHandshake { handshake = event }
        if let event = event as? ChannelEvent, event == .inputClosed { inputEnded = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError { errors.append(error) }
    }
}

/// One end of a TLS connection without a socket.
final class EmbeddedEnd {
    let channel = EmbeddedChannel()
    let recorder = Recorder()

    init(_ context: TLSContext, serverName: String? = nil) throws {
        try channel.pipeline.syncOperations.addHandlers(
            try context.makeHandler(serverName: serverName), recorder)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    }

    /// Everything that this end wants to send now.
    func takeOutput() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }

    /// Delivers bytes in pieces of `size`, as a slow network would.
    func receive(_ bytes: [UInt8], pieces size: Int = .max) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            try channel.writeInbound(ByteBuffer(bytes: rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
    }

    func send(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// What the pipeline sees when the socket ends without a word.
    func loseConnection() {
        channel.pipeline.fireChannelInactive()
    }

    /// Ends the channel and runs what its loop still has to do.
    func finish() {
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }
}

/// Both ends of one connection, joined by hand.
struct EmbeddedPair {
    let client: EmbeddedEnd
    let server: EmbeddedEnd

    init(server: TLSContext, client: TLSContext, serverName: String? = nil) throws {
        self.server = try EmbeddedEnd(server)
        self.client = try EmbeddedEnd(client, serverName: serverName)
    }

    /// A server with a fresh certificate for `localhost` and a client that trusts it.
    static func trusting(
        serverName: String? = "localhost",
        server adjustServer: (inout TLSConfiguration) -> Void = { _ in },
        client adjustClient: (inout TLSConfiguration) -> Void = { _ in }
    ) throws -> EmbeddedPair {
        let authority = try TestCertificates.authority()
        let identity = try authority.issue(TestCertificates.request("localhost"))
        var server = TLSConfiguration.server(identity: identity)
        adjustServer(&server)
        var client = TLSConfiguration(role: .client(authoritiesPEM: authority.identity.certificateChainPEM))
        adjustClient(&client)
        return try EmbeddedPair(
            server: try TLSContext(server), client: try TLSContext(client), serverName: serverName)
    }

    /// Carries bytes both ways until neither end has more.
    func exchange(pieces size: Int = .max) throws {
        while true {
            let toServer = try client.takeOutput()
            let toClient = try server.takeOutput()
            if toServer.isEmpty, toClient.isEmpty { return }
            try server.receive(toServer, pieces: size)
            try client.receive(toClient, pieces: size)
        }
    }

    func finish() {
        client.finish()
        server.finish()
    }
}
