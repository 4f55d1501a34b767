import NIOCore

/// What a node does when a hot call of one number reaches an actor.
final class CallHandler<Target: KeyedActor, Arguments: WireCodable, Reply: WireCodable>: AnyCallHandler {
    typealias Body = @Sendable (isolated Target, Arguments, Responder<Reply>) -> Void

    let wakes: Bool
    private let body: Body

    init(wakes: Bool, _ body: @escaping Body) {
        self.wakes = wakes
        self.body = body
    }

    /// Runs the call; on the actor's loop.
    func run(on target: Target, _ arguments: Arguments, _ responder: Responder<Reply>) {
        target.assumeIsolated { target in
            body(target, arguments, responder)
        }
    }

    func run(_ call: IncomingCall, on actor: any KeyedActor, ticket: ActorTicket, in loop: ActorLoop) {
        guard let target = actor as? Target else {
            loop.finished(ticket)
            return call.refuse(CallError.unknownTarget, in: loop)
        }
        var reader = call.arguments
        do throws(WireError) {
            let arguments: Arguments = try reader.value()
            run(
                on: target, arguments, Responder(sink: IncomingReply<Reply>(call, in: loop), ticket: ticket, home: loop)
            )
        } catch {
            loop.finished(ticket)
            call.refuse(error, in: loop)
        }
    }
}

/// A handler whose types are known to itself alone.
protocol AnyCallHandler: AnyObject, Sendable {
    /// As the call says.
    var wakes: Bool { get }
    /// Decodes the arguments of another node's call and runs it.
    func run(_ call: IncomingCall, on actor: any KeyedActor, ticket: ActorTicket, in loop: ActorLoop)
}
