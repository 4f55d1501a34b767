import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore
import Logging
import NIOCore

/// The engine of a node: its loops, its actors and their slots, its lanes, and its part in the cluster.
struct NodeEngine: Sendable {
    let mesh: LoopMesh
    let identifiers: IdentifierSource
    let realtime: Realtime
    /// The way to the other nodes; its port is open.
    let transport: LinkTransport
    /// Its part in the cluster, which brings the slots.
    let cluster: ClusterNode
    /// How clients reach the node; links and the gateway's address carry it.
    let address: PublicAddress

    /// Starts the actors and opens the cluster port. Nothing connects to them yet, and no slot is owned before `takePart`.
    /// - Parameter events: hears what the node has to know of its part in the cluster; ids are seen to here.
    static func start(
        _ configuration: NodeConfiguration, network: NodeNetwork, store: NodeStore, address: PublicAddress,
        group: any EventLoopGroup, events: ClusterEvents, logger: Logger
    ) async throws -> NodeEngine {
        let registration = store.registration
        let mesh = LoopMesh(group: group)
        let identifiers = IdentifierSource(
            SnowflakeMinter(
                node: registration.identity.node, floorMilliseconds: registration.idFloorMilliseconds,
                highWaterMilliseconds: registration.idHighWaterMilliseconds))
        let identity = FluxCluster.NodeIdentity(
            name: network.identity.name, id: network.identity.node, incarnation: registration.identity.incarnation)
        let watch = LinkWatch()
        var links = network.configuration
        links.onEvent = watch.tell
        let transport = LinkTransport(links, identity: identity, group: group)
        let system = ClusterActorSystem(
            identity: identity, mesh: mesh, transport: transport,
            limits: CallLimits(idleTime: TimeAmount(configuration.limits.passivation)))
        let realtime = try Realtime(
            on: Realtime.Foundations(
                system: system, mesh: mesh, database: store.database, identifiers: identifiers, logger: logger),
            limits: sessionLimits(configuration.limits),
            settings: EngineSettings(
                mediaBase: address.origin, gatewayURL: address.gatewayURL,
                channelLimits: configuration.rateLimits.forChannels,
                maximumContentLength: configuration.limits.messageLength),
            makeLanes: { onOutcomes in
                try LanePool(
                    configuration: store.configuration, identity: registration.identity,
                    lanes: configuration.database.lanes, logger: logger, onOutcomes: onOutcomes)
            })
        var foundations = ClusterFoundations(
            realtime: realtime, heartbeats: store.control, leases: store.leases, logger: logger)
        foundations.links = transport
        foundations.watch = watch
        foundations.events = events
        foundations.events.reserved = { identifiers.raiseHighWater(to: $0) }
        let engine = NodeEngine(
            mesh: mesh, identifiers: identifiers, realtime: realtime, transport: transport,
            cluster: ClusterNode(foundations), address: address)
        try await realtime.start(slots: [])
        do {
            try await transport.start()
        } catch {
            await engine.stop()
            throw CommandFailure(listeningOn: "cluster_listen \(network.listen)", error)
        }
        return engine
    }

    /// Commits all that is decided, leaves the cluster, and closes the cluster port.
    func stop() async {
        await realtime.stop()
        await cluster.leave()
        await transport.stop()
    }

    private static func sessionLimits(_ limits: NodeConfiguration.Limits) -> SessionLimits {
        var result = SessionLimits()
        result.resumeMilliseconds = UInt64(TimeAmount(limits.sessionResume).nanoseconds / 1_000_000)
        result.replayEvents = limits.replayEvents
        result.replayBytes = limits.replayBytes
        result.heldEventBytes = limits.replayMemory.bytes(ofMemory: ProcessMetrics.memoryOfMachine())
        return result
    }
}
