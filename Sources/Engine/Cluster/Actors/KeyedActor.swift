import Distributed

/// An actor that has an address in the cluster and lives on the node that owns its slot.
///
/// It is made by the activator of its kind when the first call comes, runs on the event loop of its slot, and goes away
/// when nobody has called it for a while and `canPassivate` allows it. A conforming actor states its executor itself:
///
/// ```swift
/// distributed actor Counter: KeyedActor {
///     typealias ActorSystem = ClusterActorSystem
///     nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.unownedExecutor(for: id) }
/// }
/// ```
public protocol KeyedActor: DistributedActor where ActorSystem == ClusterActorSystem {
    /// Whether the actor can be dropped now and made again from what is stored. False while anything it decided is not
    /// written yet, or while somebody is subscribed to it. Asked only when no call is under way.
    var canPassivate: Bool { get }

    /// Called once, on the actor's loop, when the system has let go of the actor. Calls that are not answered yet may
    /// still be answered; new ones go to the next owner or the next activation.
    func deactivated(_ reason: DeactivationReason)
}

extension KeyedActor {
    /// Yes.
    public var canPassivate: Bool { true }

    /// Nothing to do.
    public func deactivated(_ reason: DeactivationReason) {}
}

/// Why the system let go of an actor.
public enum DeactivationReason: Sendable, Equatable {
    /// Nobody called it for the idle time.
    case idle
    /// The node does not own its slot any more: nothing it has not committed will be.
    case slotLost
    /// The node hands its slots over or stops.
    case released
}
