import FluxCore
import NIOCore

/// Something that wants to run on an actor of this node: a call made here, or one that came from another node.
protocol Delivery: AnyObject, Sendable {
    var address: ActorAddress { get }
    /// After this nobody waits for it; it is not begun any more.
    var deadline: NIODeadline { get }
    /// Whether the actor is made for it where it is not active.
    func wakes(in loop: ActorLoop) -> Bool
    /// Runs, on the actor's loop. The ticket must be given back through `ActorLoop.finished`.
    func run(on actor: any KeyedActor, ticket: ActorTicket, in loop: ActorLoop)
    /// The slot is not here; nothing ran.
    func redirect(node: NodeID?, epoch: Epoch, in loop: ActorLoop)
    /// It cannot run; nothing ran.
    func refuse(_ error: any Error, in loop: ActorLoop)
}
