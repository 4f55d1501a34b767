import FluxCore

extension ClusterActorSystem {
    /// Says how actors of a kind that lives in slots are made. Before `start`.
    public func register(_ kind: ActorKind, activate: @escaping ActorActivator) {
        for loop in loops {
            loop.post { $0.register(kind, activator: activate) }
        }
    }

    /// Says that the actors of a kind live on the node that their key names; they are put in place with `host`.
    /// Before `start`.
    public func register(_ kind: ActorKind, node: @escaping @Sendable (_ key: UInt64) -> NodeID?) {
        updateRouting { routing in
            routing.place(kind, at: node)
            return true
        }
    }

    /// Says what happens when a hot call reaches its actor. The handler runs on the actor's loop, isolated to it, without a
    /// task; it answers at once or later. Before `start`.
    public func register<Target, Arguments, Reply>(
        _ call: Call<Target, Arguments, Reply>,
        handler: @escaping @Sendable (isolated Target, Arguments, Responder<Reply>) -> Void
    ) {
        let handler = CallHandler(wakes: call.wakes, handler)
        for loop in loops {
            loop.post { $0.register(handler, number: call.number) }
        }
    }

    /// Makes an error type known that other nodes may answer with. Before `start`.
    public func register(failure type: (some WireFailure).Type) {
        failures.withLockedValue { $0[type.failureNumber] = type }
    }

    /// Says what happens with events of a sort that other nodes send. Runs where the transport received the event.
    /// Before `start`.
    public func register(
        event: ClusterEvent, handler: @escaping @Sendable (_ source: NodeID, _ payload: inout WireReader) -> Void
    ) {
        events.withLockedValue { $0[event.number] = handler }
    }

    /// The application's error in a reply, as the type that its number stands for.
    func failure(_ number: UInt16, from body: WireReader) -> CallError {
        guard let type = failures.withLockedValue({ $0[number] }) else { return .failed("failure \(number)") }
        var reader = body
        do throws(WireError) {
            return .refused(try type.init(from: &reader))
        } catch {
            return .malformed(error)
        }
    }
}
