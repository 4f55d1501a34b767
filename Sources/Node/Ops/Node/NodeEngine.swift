import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore
import Logging
import NIOCore

/// The engine of a node: its loops, its actors and their slots, its lanes.
struct NodeEngine: Sendable {
    let mesh: LoopMesh
    let identifiers: IdentifierSource
    let realtime: Realtime
    /// The way to the other nodes; its port is open.
    let transport: LinkTransport
    /// How clients reach the node; links and the gateway's address carry it.
    let address: PublicAddress

    /// Takes the node's slots and starts the actors. Nothing connects to them yet.
    static func start(
        _ configuration: NodeConfiguration, network: NodeNetwork, store: NodeStore, address: PublicAddress,
        group: any EventLoopGroup, logger: Logger
    ) async throws -> NodeEngine {
        let registration = store.registration
        let mesh = LoopMesh(group: group)
        let identifiers = IdentifierSource(
            SnowflakeMinter(
                node: registration.identity.node, floorMilliseconds: registration.idFloorMilliseconds,
                highWaterMilliseconds: registration.idHighWaterMilliseconds))
        let identity = FluxCluster.NodeIdentity(
            name: network.identity.name, id: network.identity.node, incarnation: registration.identity.incarnation)
        let transport = LinkTransport(network.configuration, identity: identity, group: group)
        let system = ClusterActorSystem(
            identity: identity, mesh: mesh, transport: transport, leases: SlotLeases(store: LeaseStore(store.control)),
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
        try await realtime.start()
        do {
            try await transport.start()
        } catch {
            await realtime.stop()
            throw CommandFailure(.unavailable, "cluster_listen \(network.listen): cannot be listened on: \(error)")
        }
        return NodeEngine(
            mesh: mesh, identifiers: identifiers, realtime: realtime, transport: transport, address: address)
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
