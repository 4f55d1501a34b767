import FluxCore

/// Makes an actor when the first call for it comes. Gets its address, the epoch at which this node owns its slot, and the
/// executor of its loop, on which it runs. An error fails all calls that wait for the actor and is not remembered.
public typealias ActorActivator =
    @Sendable (_ address: ActorAddress, _ epoch: Epoch, _ executor: LoopExecutor) async throws -> any KeyedActor
