import FluxAPI
import FluxCore
import FluxGateway
import FluxRealtime
import FluxSecurity
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// What clients meet: the API's routes, the gateway, and the port that both share.
struct NodeEdge: Sendable {
    /// The most files of one message, protocol 5.5.
    private static let filesPerMessage = 10

    /// Accounts and credentials; its `maintain` has to run as long as the port is open.
    let accounts: AccountSystem
    private let gateway: Gateway
    private let responder: APIResponder
    private let tls: TLSContext?
    private let listen: Endpoint
    private let trustedProxies: TrustedProxies
    private let group: any EventLoopGroup
    private let logger: Logger

    /// Puts everything together; nothing is open yet.
    init(
        _ configuration: NodeConfiguration, engine: NodeEngine, store: NodeStore, directory: DataDirectory,
        listen: Endpoint, readiness: Readiness, group: any EventLoopGroup, logger: Logger
    ) throws(CommandFailure) {
        trustedProxies = TrustedProxies(configuration.trustedProxies) ?? .none
        self.listen = listen
        self.group = group
        self.logger = logger
        let address = engine.address
        let realtime = engine.realtime
        let identifiers = engine.identifiers
        tls = try Self.tls(configuration.tls)
        accounts = AccountSystem(
            database: store.database, hasher: PasswordHasher(), publicURL: address.origin,
            revoker: EngineRevoker(realtime: realtime), logger: logger, mintID: { try identifiers.next() })

        let storage = try Self.storage(configuration.storage, in: directory, group: group)
        var multipart = MultipartLimits()
        multipart.fileBytes = configuration.limits.attachmentBytes
        multipart.totalBytes = Self.filesPerMessage * configuration.limits.attachmentBytes + (1 << 20)
        let spool: UploadSpool
        do {
            spool = try UploadSpool(directory: directory.file("uploads"))
        } catch {
            throw CommandFailure(.cannotCreate, "\(directory.file("uploads")): \(error)")
        }
        let services = Services(
            engine: realtime, directory: StoreDirectory(store.database), storage: storage, spool: spool,
            multipart: multipart, publicOrigin: address.origin)

        let routes = RouteTable(
            authenticator: accounts.authenticator,
            limits: RateLimitGate(
                configuration: configuration.rateLimits.forAPI, limiter: EngineRateLimiter(realtime: realtime)))
        services.register(in: routes, storage: storage)
        AccountRoutes(
            system: accounts, services: services,
            isRegistrationOpen: configuration.authentication.registration == .open
        ).register(in: routes)
        ApplicationRoutes(database: store.database, system: accounts, services: services).register(in: routes)
        HealthRoutes(readiness: readiness).register(in: routes)
        var answers = APIResponder.Configuration(bodyLimit: multipart.totalBytes, logger: logger)
        answers.trustedProxies = trustedProxies
        responder = routes.makeResponder(configuration: answers)

        var settings = GatewayConfiguration(publicOrigin: address.origin)
        settings.unsentByteLimit = configuration.limits.slowConsumerBytes
        gateway = Gateway(
            configuration: settings, mesh: engine.mesh, sessions: realtime, authenticator: accounts.authenticator,
            logger: logger)
    }

    /// The server of the client port. `onListening` is called when it listens.
    func server(quietLogger: Logger, onListening: @escaping @Sendable () -> Void) throws -> any Service {
        var port = ClientPortConfiguration()
        port.tls = tls
        port.trustedProxies = trustedProxies
        return try HTTPServerBuilder.clientPort(gateway: gateway, configuration: port).buildServer(
            configuration: ServerConfiguration(
                address: .hostname(listen.host, port: listen.port), backlog: 4_096),
            eventLoopGroup: group, logger: quietLogger, responder: responder.respond,
            onServerRunning: { _ in onListening() })
    }

    /// Reads the certificate and its key again. A failure leaves the old ones in force.
    func reloadCertificates() {
        guard let tls else { return }
        do {
            try tls.reload()
            logger.notice("certificates reloaded")
        } catch {
            logger.error("certificates not reloaded, the old ones stay", metadata: ["error": "\(error)"])
        }
    }

    /// Reads the certificate and its key; nil where none are configured.
    static func tls(_ settings: NodeConfiguration.TLS) throws(CommandFailure) -> TLSContext? {
        guard let certificate = settings.certificate, let key = settings.key else { return nil }
        do {
            return try TLSContext(certificateFile: certificate, privateKeyFile: key)
        } catch {
            throw CommandFailure(.configuration, "tls.cert \(certificate), tls.key \(key): \(error)")
        }
    }

    private static func storage(
        _ settings: NodeConfiguration.Storage, in directory: DataDirectory, group: any EventLoopGroup
    ) throws(CommandFailure) -> any ObjectStorage {
        let root = settings.directory ?? directory.file("files")
        do {
            switch settings.kind {
            case .directory: return try DirectoryStorage(root: root)
            case .s3: return try S3Storage(try s3(settings.s3), group: group)
            }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.cannotCreate, "storage: \(error)")
        }
    }

    private static func s3(_ settings: NodeConfiguration.Storage.S3) throws(CommandFailure) -> S3Configuration {
        let credentials = S3Configuration.Credentials(
            accessKeyID: settings.accessKey?.exposed ?? "", secretAccessKey: settings.secretKey?.exposed ?? "")
        guard
            let configuration = S3Configuration(
                endpoint: settings.endpoint ?? "", bucket: settings.bucket ?? "", region: settings.region,
                credentials: credentials, isPathStyle: settings.pathStyle)
        else { throw CommandFailure(.configuration, "storage.s3.endpoint: no http:// or https:// URL") }
        return configuration
    }
}
