import FluxCluster
import FluxCore
import FluxRealtime
import Logging
import NIOCore

/// Finds out who a token belongs to. The API's accounts implement it.
public protocol GatewayAuthenticator: Sendable {
    /// - Parameter token: a bot token or an access token, without the name of a scheme in front.
    /// - Returns: nil when it is not valid (any more): the connection is closed with 4004.
    /// - Throws: when it could not be found out now: the connection is closed resumably.
    func identity(forToken token: String) async throws -> GatewayIdentity?
}

/// Settings of the gateway.
public struct GatewayConfiguration: Sendable {
    /// The origin that people's pages come from, `https://chat.example`: a cookie from another one does not count.
    public var publicOrigin: String
    /// What HELLO tells clients. At most 55 s (protocol 7.4).
    public var heartbeatInterval = TimeAmount.milliseconds(41_250)
    /// How long a client may take to IDENTIFY.
    public var identifyTimeout = TimeAmount.seconds(30)
    /// Bytes that may wait for a client which does not read. Beyond, its connection is closed; its session can resume.
    public var unsentByteLimit = 1 << 20
    /// The same for a client that has not yet caught up with the READY or replay it asked for.
    public var openingByteLimit = 16 << 20
    /// In batch mode payloads are collected for at most this long (protocol 10.4).
    public var batchWindow = TimeAmount.milliseconds(5)

    public init(publicOrigin: String) {
        self.publicOrigin = publicOrigin
    }
}

/// The gateway of a node: what its connections share. One instance serves all listeners of the node.
public final class Gateway: Sendable {
    let configuration: GatewayConfiguration
    let sessions: any SessionService
    let authenticator: any GatewayAuthenticator
    let logger: Logger
    private let loops: [ObjectIdentifier: GatewayLoop]

    /// - Parameter mesh: the loops that connections live on; the server's event loop group must be the same.
    public init(
        configuration: GatewayConfiguration, mesh: LoopMesh, sessions: any SessionService,
        authenticator: any GatewayAuthenticator, logger: Logger
    ) {
        self.configuration = configuration
        self.sessions = sessions
        self.authenticator = authenticator
        self.logger = logger
        loops = Dictionary(
            uniqueKeysWithValues: mesh.executors.map { executor in
                (ObjectIdentifier(executor.eventLoop), GatewayLoop(eventLoop: executor.eventLoop, mesh: mesh))
            })
    }

    /// The handler of a new connection.
    /// - Returns: nil when the loop is none of the mesh.
    func makeHandler(_ upgrade: GatewayUpgrade, on eventLoop: any EventLoop) -> GatewayHandler? {
        loops[ObjectIdentifier(eventLoop)].map { GatewayHandler(gateway: self, loop: $0, upgrade: upgrade) }
    }
}
