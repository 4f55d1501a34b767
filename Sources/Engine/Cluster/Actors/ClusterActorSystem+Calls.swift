import FluxCore
import NIOCore

extension ClusterActorSystem {
    /// Makes a hot call. `completion` runs once, on the loop `replyOn` (without one: the current loop, or the first when the
    /// caller is on none), never inside `invoke`.
    ///
    /// Calls of one loop to one actor run in the order they were made, as long as the actor's owner does not change; calls
    /// whose `replyOn` is another loop than the current one are ordered as calls of that loop.
    public func invoke<Target, Arguments, Reply>(
        _ call: Call<Target, Arguments, Reply>, on address: ActorAddress, _ arguments: Arguments,
        replyOn index: Int? = nil, deadline: TimeAmount = .seconds(5),
        completion: @escaping @Sendable (Result<Reply, CallError>) -> Void
    ) {
        let current = mesh.currentIndex
        let home = loops[index ?? current ?? 0]
        let outstanding = HotCall(
            call, address: address, arguments: arguments, deadline: .now() + deadline, home: home,
            completion: completion)
        if current == home.executor.index {
            home.begin(outstanding)
        } else {
            home.post { $0.begin(outstanding) }
        }
    }

    /// Makes a hot call and waits for its reply; for callers that are tasks. Throws the application's own error, or
    /// `CallError`.
    public func invoke<Target, Arguments, Reply>(
        _ call: Call<Target, Arguments, Reply>, on address: ActorAddress, _ arguments: Arguments,
        deadline: TimeAmount = .seconds(5)
    ) async throws -> Reply {
        try await withCheckedThrowingContinuation { continuation in
            invoke(call, on: address, arguments, deadline: deadline) { result in
                continuation.resume(with: result.mapError(\.thrown))
            }
        }
    }

    /// Runs the work on the actor at the address if it is active here; nil if it is not. For code that runs on the actor's
    /// loop and must not wait, such as an actor that asks its neighbour of the same slot.
    public func withActive<Target: KeyedActor, Value: Sendable>(
        _ type: Target.Type, at address: ActorAddress, _ work: (isolated Target) throws -> Value
    ) rethrows -> Value? {
        guard let actor = loop(of: address).resident(at: address) as? Target else { return nil }
        return try actor.assumeIsolated(work)
    }

    /// The actors of a slot that are active here. On the slot's loop.
    public func active(in slot: Slot) -> [any KeyedActor] {
        loops[mesh.index(of: slot)].residents(of: slot)
    }

    /// Sends an event to another node; false when there is no link, its queue is full, or the node speaks a version that does
    /// not know the event. Events of one thread to one node
    /// over one lane arrive in order while the link lives. The control lane is for what is small and must not wait behind
    /// events of streams.
    @discardableResult
    public func send(
        event: ClusterEvent, to node: NodeID, over lane: TransportLane = .bulk,
        _ payload: (inout WireWriter) -> Void
    ) -> Bool {
        if case .sent = dispatch(.event(.init(event: event)), to: node, over: lane, payload) { true } else { false }
    }
}
