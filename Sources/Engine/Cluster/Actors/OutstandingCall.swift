import FluxCore
import NIOCore

/// A call that this node makes and that has no answer yet.
///
/// It has two sides. The waiting side (`token`, `sentTo`, `attempts`, the completion in the subclasses) is
/// used only on the loop that the reply goes to, the running side (`run`) only on the loop of the target's slot.
/// What they share does not change. That is why the unchecked `Sendable` holds here and in the subclasses.
class OutstandingCall: Delivery, @unchecked Sendable {
    let address: ActorAddress
    let deadline: NIODeadline
    /// May be sent again although it may have run.
    let isRepeatable: Bool
    /// The loop that waits for the answer.
    let home: ActorLoop
    /// Names the call while it waits.
    var token: DeadlineWheel<OutstandingCall>.Token?
    /// The node that was asked last; nil while the call is on this node.
    var sentTo: NodeID?
    /// How many times the call was sent on its way.
    var attempts = 0
    /// Its place among the calls of its home loop, in the order in which they were made.
    var order: UInt64 = 0
    /// Whether it waits in `StalledCalls`.
    var isStalled = false
    /// The tick up to which it may wait there; set when it first does.
    var stallEnd: Int64?
    /// An earlier try may have run.
    var mayHaveRun = false
    /// Its size on the wire, for the bound on what waits.
    private(set) lazy var argumentSize: Int = {
        var writer = WireWriter(version: .current)
        encodeArguments(to: &writer)
        return writer.bytes.count
    }()

    init(address: ActorAddress, deadline: NIODeadline, isRepeatable: Bool, home: ActorLoop) {
        self.address = address
        self.deadline = deadline
        self.isRepeatable = isRepeatable
        self.home = home
    }

    /// What another node has to run.
    var method: ClusterFrame.Method { preconditionFailure("overridden") }

    /// The version since which there is such a call.
    var since: WireVersion { .oldest }

    /// Whether the actor is made for it where it is not active.
    func wakes(in loop: ActorLoop) -> Bool { true }

    /// Told when a try that may have run is followed by another one.
    var onRepeat: (@Sendable () -> Void)? { nil }

    /// Appends the arguments for another node.
    func encodeArguments(to writer: inout WireWriter) { preconditionFailure("overridden") }

    /// Runs the call on an actor of this node, on the actor's loop.
    func run(on actor: any KeyedActor, ticket: ActorTicket, in loop: ActorLoop) { preconditionFailure("overridden") }

    /// Tells the caller that the call failed; once, on the home loop.
    func fail(_ error: any Error) { preconditionFailure("overridden") }

    /// Reads the reply of another node and tells the caller; once, on the home loop.
    func receive(_ reply: inout WireReader) { preconditionFailure("overridden") }

    /// The call cannot run here: on to where it belongs.
    final func redirect(node: NodeID?, epoch: Epoch, in loop: ActorLoop) {
        home.post { $0.redirected(self, node: node, epoch: epoch) }
    }

    /// The call could not run; from the target's loop.
    final func refuse(_ error: any Error, in loop: ActorLoop) {
        home.post { $0.failed(self, error) }
    }
}
