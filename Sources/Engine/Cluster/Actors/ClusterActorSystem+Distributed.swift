import Distributed
import FluxCore

extension ClusterActorSystem {
    /// A handle for the actor at the address, wherever it lives and whether it is active or not. Never fails, never goes
    /// stale, costs no look-up.
    public func handle<Act: KeyedActor>(_ type: Act.Type = Act.self, at address: ActorAddress) throws -> Act {
        try Act.resolve(id: address, using: self)
    }

    /// Always nil, which makes the runtime give out a handle: calls find their actor each time they are made, so that a
    /// handle outlives the activation.
    public func resolve<Act>(id: ActorID, as actorType: Act.Type) throws -> Act?
    where Act: DistributedActor, Act.ID == ActorID {
        nil
    }

    /// The address that the activation or `host` under way gives to the actor. Actors are made in no other way.
    public func assignID<Act>(_ actorType: Act.Type) -> ActorID where Act: DistributedActor, Act.ID == ActorID {
        guard let address = Self.assignedAddress else {
            preconditionFailure("\(actorType) must be made by its activator or by ClusterActorSystem.host")
        }
        return address
    }

    /// Nothing: an actor is in place when its activator has returned it.
    public func actorReady<Act>(_ actor: Act) where Act: DistributedActor, Act.ID == ActorID {}

    /// Nothing: the directory lets go of an actor before the actor ends.
    public func resignID(_ id: ActorID) {}

    /// An empty recording.
    public func makeInvocationEncoder() -> InvocationEncoder {
        CallInvocationEncoder()
    }

    /// The executor of the loop that the actor runs on; what a `KeyedActor` returns as its own.
    public func unownedExecutor(for address: ActorAddress) -> UnownedSerialExecutor {
        mesh.executor(of: address.slot).asUnownedSerialExecutor()
    }

    /// Calls a distributed func that returns a value.
    public func remoteCall<Act, Err, Res>(
        on actor: Act, target: RemoteCallTarget, invocation: inout InvocationEncoder, throwing: Err.Type,
        returning: Res.Type
    ) async throws -> Res where Act: DistributedActor, Act.ID == ActorID, Err: Error, Res: WireCodable {
        try await reply(of: actor.id, target, invocation)
    }

    /// Calls a distributed func that returns nothing.
    public func remoteCallVoid<Act, Err>(
        on actor: Act, target: RemoteCallTarget, invocation: inout InvocationEncoder, throwing: Err.Type
    ) async throws where Act: DistributedActor, Act.ID == ActorID, Err: Error {
        let _: Nothing = try await reply(of: actor.id, target, invocation)
    }

    private func reply<Reply: WireCodable>(
        of address: ActorAddress, _ target: RemoteCallTarget, _ invocation: InvocationEncoder
    ) async throws -> Reply {
        let home = mesh.currentIndex.map { loops[$0] } ?? loop(of: address)
        return try await DistributedCall<Reply>(
            target, invocation: invocation, address: address, options: .current, home: home
        ).reply()
    }

    /// Runs a distributed func on an actor of this node, and calls one of the two with how it ended.
    func execute(
        _ target: RemoteCallTarget, on actor: some KeyedActor, decoder: inout CallInvocationDecoder,
        onReturn: @escaping @Sendable (any WireCodable) -> Void, onThrow: @escaping @Sendable (any Error) -> Void
    ) async {
        do {
            try await executeDistributedTarget(
                on: actor, target: target, invocationDecoder: &decoder,
                handler: CallResultHandler(returned: onReturn, threw: onThrow))
        } catch is ExecuteDistributedTargetError {
            onThrow(CallError.unknownTarget)
        } catch {
            onThrow(error)
        }
    }

    /// Whether a method's name from another node names a func of this very actor type. The runtime does not ask: it would
    /// run a func of another type on the actor.
    static func method(_ name: String, belongsTo actor: some KeyedActor) -> Bool {
        guard let type = _mangledTypeName(type(of: actor)) else { return false }
        return name.hasPrefix("$s" + type)
    }
}
