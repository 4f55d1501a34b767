import CoreMetrics
import FluxCluster
import FluxRealtime
import FluxStore
import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A whole node, from its configuration to the end of its process.
///
/// It starts from the bottom (data directory, admin port, Postgres, engine, client port) and is ready when the client port
/// listens. It stops from the top: unready, slots handed over, clients told to reconnect, their sessions fetched by other nodes,
/// client port closed, lanes emptied, the cluster left, Postgres closed, admin port last, so that health and metrics can be watched to the end.
public final class FluxNode: Sendable {
    private struct Serving {
        var edge: NodeEdge
        var provisioner: Provisioner
    }

    /// How long a stopping node tries to give its slots away before it leaves with them.
    private static let handoverTime = Duration.seconds(30)

    private let configuration: NodeConfiguration
    private let dialect: WireDialect
    private let metrics: MetricsRegistry
    private let logger: Logger
    /// For servers that announce every step; the node says itself what matters.
    private let quietLogger: Logger
    private let readiness = Readiness()
    private let engineMetrics: EngineMetrics
    private let stopping = StopRequest()
    private let serviceManager = ServiceManager()
    private let hasLostItsPlace = NIOLockedValueBox(false)
    private let isStopping = NIOLockedValueBox(false)
    private let serving = NIOLockedValueBox<Serving?>(nil)
    private let cluster = NIOLockedValueBox<ClusterAdministration?>(nil)

    /// A node that does nothing before ``run()``.
    /// - Parameter dialect: what is spoken with other nodes; another than this build's own is for rehearsals.
    public init(
        configuration: NodeConfiguration, dialect: WireDialect = .own, metrics: MetricsRegistry, logger: Logger
    ) {
        self.configuration = configuration
        self.dialect = dialect
        self.metrics = metrics
        self.logger = logger
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        quietLogger = quiet
        engineMetrics = EngineMetrics(readiness: readiness)
    }

    /// Asks the node to stop in good order; ``run()`` returns when it has.
    @Sendable public func stop() {
        stopping.make()
    }

    /// Reads the certificates again.
    @Sendable public func reload() {
        serving.withLockedValue(\.self)?.edge.reloadCertificates()
    }

    /// Runs the node until ``stop()``.
    /// - Parameter joining: joins a cluster first, where the node is no member yet.
    /// - Throws: ``CommandFailure`` when it could not start or had to end.
    public func run(joining: NodeJoining? = nil) async throws {
        // What is wrong with the configuration is said before anything is made or started.
        _ = try NodeEdge.tls(configuration.tls)
        let directory = try DataDirectory(configuration.dataDirectory)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.loops ?? System.coreCount)
        let lag = EventLoopLag(group: group, factory: metrics)
        let process = ProcessMetrics()
        metrics.addCollector { process.collect(into: &$0) }
        metrics.addCollector { [engineMetrics] in engineMetrics.collect(into: &$0) }
        let outcome = await attempt { try await self.runAdmin(Place(directory: directory, group: group), joining) }
        lag.cancel()
        try? await group.shutdownGracefully()
        withExtendedLifetime(directory) {}
        try outcome.get()
        guard !hasLostItsPlace.withLockedValue(\.self) else {
            throw CommandFailure(.failure, "another process runs as this node")
        }
        logger.notice("stopped")
    }

    // MARK: Layers, each of which runs the next one inside

    /// What every layer needs.
    private struct Place: Sendable {
        let directory: DataDirectory
        let group: MultiThreadedEventLoopGroup
        var admin = Endpoint(host: "", port: 0)
    }

    private func runAdmin(_ place: Place, _ joining: NodeJoining?) async throws {
        var place = place
        place.admin = try await configuration.adminListen.withPort(of: "admin_listen", on: place.group)
        let admin = AdminServer(
            readiness: readiness, metrics: metrics, refreshMetrics: engineMetrics.refresh,
            provision: { [serving] request, writer in
                let provisioner = serving.withLockedValue(\.self)?.provisioner
                try await provisioner?.run(request, writer)
            },
            cluster: { [cluster] in cluster.withLockedValue(\.self) })
        let (listen, group, logger) = (place.admin, place.group, quietLogger)
        let server = try await RunningServer.start(named: "admin_listen \(listen)", logger: logger) { onListening in
            admin.application(on: listen, group: group, logger: logger) { _ in onListening() }
        }
        let inner = place
        let outcome = await attempt { try await self.runStore(inner, joining) }
        if case .success = outcome, !hasLostItsPlace.withLockedValue(\.self) {
            // Before the port closes, so that who finds nobody there finds this.
            DepartureMark.write(in: place.directory)
        }
        await server.stop()
        try outcome.get()
    }

    private func runStore(_ place: Place, _ joining: NodeJoining?) async throws {
        let listen = try await configuration.clusterListen.withPort(of: "cluster_listen", on: place.group)
        let advertised = configuration.clusterAdvertise ?? listen
        let file = IdentityFile(in: place.directory, logger: logger)
        try await joining?.perform(
            configuration, advertised: advertised, file: file, dialect: dialect, on: place.group.next(),
            logger: logger)
        let store = try await NodeStore.open(
            configuration, file: file, address: advertised, in: place.directory, logger: logger)
        DepartureMark.remove(from: place.directory)
        let outcome = await attempt {
            let network = try NodeNetwork(
                store.identity, listen: listen, advertise: self.configuration.clusterAdvertise,
                admissions: PostgresJoinStore(
                    store: ClusterStore(store.database), databaseURL: store.sharedURL.map { Secret($0) }),
                certificates: ClusterStore(store.leases), file: file, dialect: self.dialect,
                logger: self.quietLogger)
            self.cluster.withLockedValue {
                $0 = ClusterAdministration(
                    identity: store.identity, advertised: network.advertised, versions: self.dialect.versions,
                    sharesDatabase: store.sharedURL != nil,
                    store: ClusterStore(store.database), readiness: self.readiness, stopping: self.stopping)
            }
            try await self.runEngine(place, store, network)
            guard self.hasLostItsPlace.withLockedValue(\.self) else { return }
            let members = try? await ClusterStore(store.database).members()
            if let members, !members.contains(where: { $0.node.identity.node == store.identity.node.rawValue }) {
                throw CommandFailure.removed(store.identity)
            }
        }
        // Until then a second wish to leave finds somebody who takes it.
        await store.close(logger: logger)
        cluster.withLockedValue { $0 = nil }
        try outcome.get()
    }

    private func runEngine(_ place: Place, _ store: NodeStore, _ network: NodeNetwork) async throws {
        let name = store.identity.name
        let listen = try await configuration.listen.withPort(of: "listen", on: place.group)
        let engine: NodeEngine
        do {
            engine = try await NodeEngine.start(
                configuration, network: network, store: store, address: PublicAddress(configuration, listen: listen),
                group: place.group, events: clusterEvents, logger: logger)
        } catch let error as StoreError {
            throw CommandFailure(error)
        }
        engineMetrics.observe(engine.realtime)
        cluster.withLockedValue { $0?.part = engine.cluster }
        let transport = engine.transport
        let certificates = Task { await network.keep { transport.accept(only: $0) } }
        let housekeeping = Task { await Housekeeping(store.database, logger: self.logger).run() }
        let outcome = await attempt {
            do throws(StoreError) {
                try await engine.cluster.start(
                    address: network.advertised.description, weight: Double(configuration.clusterWeight))
            } catch {
                throw CommandFailure(error)
            }
            let edge = try NodeEdge(
                self.configuration, engine: engine, store: store, directory: place.directory, listen: listen,
                readiness: self.readiness, group: place.group, logger: self.logger)
            let card = NodeCard(name: name, url: engine.address.origin, listen: listen, admin: place.admin)
            try await self.serve(edge, engine, store, card, in: place.directory)
        }
        cluster.withLockedValue { $0?.part = nil }
        await engine.stop()
        certificates.cancel()
        housekeeping.cancel()
        engineMetrics.observe(nil)
        try outcome.get()
    }

    private func serve(
        _ edge: NodeEdge, _ engine: NodeEngine, _ store: NodeStore, _ card: NodeCard, in directory: DataDirectory
    ) async throws {
        try await edge.accounts.refresh()
        let upkeep = Task { await edge.accounts.maintain() }
        defer { upkeep.cancel() }
        let server = try await RunningServer.start(named: "listen \(card.listen)", logger: quietLogger) { onListening in
            try edge.server(quietLogger: self.quietLogger, onListening: onListening)
        }
        let outcome = await attempt {
            try card.write(in: directory)
            let realtime = engine.realtime
            let provisioner = Provisioner(
                database: store.database, mintID: { try realtime.mintID() }, issue: edge.accounts.accessToken)
            self.serving.withLockedValue { $0 = Serving(edge: edge, provisioner: provisioner) }
            self.readiness.set(.starting, false)
            self.serviceManager.tell(.ready)
            self.logger.notice(
                "ready", metadata: ["name": "\(card.name)", "url": "\(card.url)", "admin": "http://\(card.admin)"])
            await self.stopping.wait()
        }
        isStopping.withLockedValue {
            $0 = true
            readiness.set(.draining, true)
        }
        serviceManager.tell(.stopping)
        logger.notice("stopping: clients are told to reconnect, what was accepted is committed")
        NodeCard.remove(from: directory)
        serving.withLockedValue { $0 = nil }
        if await !engine.cluster.handSlotsOver(atMost: Self.handoverTime) {
            logger.warning("not every slot could be handed over; the others take them when this node has left")
        }
        await engine.realtime.drainSessions()
        let left = await engine.cluster.handSessionsOver()
        if left > 0 { logger.notice("sessions end that no other node has taken", metadata: ["count": "\(left)"]) }
        await server.stop()
        try outcome.get()
    }

    // MARK: Parts

    /// What the node's part in the cluster finds out, as readiness; and that this process has to end.
    private var clusterEvents: ClusterEvents {
        var events = ClusterEvents()
        events.unready = { [readiness] reason, applies in
            switch reason {
            case .noDatabase: readiness.set(.postgres, applies)
            case .clockOff: readiness.set(.clock, applies)
            case .minority: readiness.set(.minority, applies)
            case .noLink(let node): readiness.setUnlinked(node.rawValue, applies)
            }
        }
        events.draining = { [readiness, isStopping] applies in
            isStopping.withLockedValue { if !$0 { readiness.set(.draining, applies) } }
        }
        events.superseded = { [hasLostItsPlace, stopping] in
            hasLostItsPlace.withLockedValue { $0 = true }
            stopping.make()
        }
        return events
    }
}

/// The result of work that must be followed by other work, whatever became of it.
private func attempt(_ work: @Sendable () async throws -> Void) async -> Result<Void, any Error> {
    do {
        return .success(try await work())
    } catch {
        return .failure(error)
    }
}
