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
    /// How clients reach the node; links and the gateway's address carry it.
    let address: PublicAddress

    /// Takes the node's slots and starts the actors. Nothing connects to them yet.
    static func start(
        _ configuration: NodeConfiguration, name: String, store: NodeStore, address: PublicAddress,
        group: any EventLoopGroup, logger: Logger
    ) async throws -> NodeEngine {
        let registration = store.registration
        let mesh = LoopMesh(group: group)
        let identifiers = IdentifierSource(
            SnowflakeMinter(
                node: registration.identity.node, floorMilliseconds: registration.idFloorMilliseconds,
                highWaterMilliseconds: registration.idHighWaterMilliseconds))
        let realtime = try Realtime(
            on: Realtime.Foundations(
                system: try system(configuration, name: name, store: store, mesh: mesh), mesh: mesh,
                database: store.database, identifiers: identifiers, logger: logger),
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
        return NodeEngine(mesh: mesh, identifiers: identifiers, realtime: realtime, address: address)
    }

    /// A system that is alone on its network. The transport between nodes takes the network's place.
    private static func system(
        _ configuration: NodeConfiguration, name: String, store: NodeStore, mesh: LoopMesh
    ) throws(CommandFailure) -> ClusterActorSystem {
        let identity = store.registration.identity
        guard let id = NodeID(rawValue: identity.node) else {
            throw CommandFailure(.failure, "node number \(identity.node) is out of range")
        }
        return ClusterActorSystem(
            identity: FluxCluster.NodeIdentity(name: name, id: id, incarnation: identity.incarnation), mesh: mesh,
            transport: LocalNetwork().transport(of: id), leases: SlotLeases(store: LeaseStore(store.control)),
            limits: CallLimits(idleTime: TimeAmount(configuration.limits.passivation)))
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
