import FluxCore
import NIOCore

/// A call that another node makes on an actor of this one.
final class IncomingCall: Delivery {
    let address: ActorAddress
    let deadline: NIODeadline
    /// Stands before the arguments.
    let arguments: WireReader
    private let source: NodeID
    private let reference: ClusterFrame.CallReference
    private let method: ClusterFrame.Method

    init(_ head: ClusterFrame.CallHead, arguments: WireReader, from source: NodeID) {
        address = head.address
        deadline = .now() + .milliseconds(Int64(head.timeout))
        reference = head.reference
        method = head.method
        self.arguments = arguments
        self.source = source
    }

    func wakes(in loop: ActorLoop) -> Bool {
        guard case .number(let number) = method else { return true }
        return loop.handler(of: number)?.wakes ?? true
    }

    func run(on actor: any KeyedActor, ticket: ActorTicket, in loop: ActorLoop) {
        switch method {
        case .number(let number):
            guard let handler = loop.handler(of: number) else {
                loop.finished(ticket)
                return refuse(CallError.unknownTarget, in: loop)
            }
            handler.run(self, on: actor, ticket: ticket, in: loop)
        case .name(let name):
            run(name, on: actor, ticket: ticket, in: loop)
        }
    }

    func redirect(node: NodeID?, epoch: Epoch, in loop: ActorLoop) {
        reply(.redirect(node: node, epoch: epoch), through: loop.system) { _ in }
    }

    func refuse(_ error: any Error, in loop: ActorLoop) {
        refuse(error, through: loop.system)
    }

    func refuse(_ error: any Error, through system: ClusterActorSystem) {
        switch CallError(carrying: error) {
        case .refused(let failure):
            reply(.refused(failureNumber: type(of: failure).failureNumber), through: system) { $0.value(failure) }
        case let error:
            reply(.failure(error), through: system) { _ in }
        }
    }

    func succeed(_ value: some WireCodable, through system: ClusterActorSystem) {
        reply(.success, through: system) { $0.value(value) }
    }

    private func reply(
        _ outcome: ClusterFrame.Outcome, through system: ClusterActorSystem, body: (inout WireWriter) -> Void
    ) {
        let head = ClusterFrame.ReplyHead(reference: reference, outcome: outcome)
        switch system.dispatch(.reply(head), to: source, over: .control, body) {
        // The caller's node notices a lost link by itself.
        case .sent, .unlinked: break
        case .full: giveUp(through: system)
        case .tooLarge: report(.malformed(.limitExceeded("reply")), through: system)
        // The caller is older than the answer.
        case .tooNew: report(.unknownTarget, through: system)
        }
    }

    /// Answers with what is small and known to every version.
    private func report(_ failure: CallError, through system: ClusterActorSystem) {
        let head = ClusterFrame.ReplyHead(reference: reference, outcome: .failure(failure))
        if case .full = system.dispatch(.reply(head), to: source, over: .control, { _ in }) { giveUp(through: system) }
    }

    /// The answer cannot leave, and its caller must not wait for it until the deadline. Who has fallen so far behind
    /// loses the link: then its calls are made again where that does no harm.
    private func giveUp(through system: ClusterActorSystem) {
        system.transport.breakLink(to: source)
    }

    private func run(_ name: String, on actor: any KeyedActor, ticket: ActorTicket, in loop: ActorLoop) {
        let system = loop.system
        guard ClusterActorSystem.method(name, belongsTo: actor) else {
            loop.finished(ticket)
            return refuse(CallError.unknownTarget, in: loop)
        }
        Task(executorPreference: loop.executor) {
            var decoder = CallInvocationDecoder(self.arguments)
            await system.execute(
                .init(name), on: actor, decoder: &decoder,
                onReturn: { value in self.succeed(value, through: system) },
                onThrow: { error in self.refuse(CallError.report(of: error), through: system) })
            loop.finished(ticket)
        }
    }
}

/// Sends the answer to a hot call back to the node that made it.
final class IncomingReply<Reply: WireCodable>: ReplySink {
    private let call: IncomingCall
    private let system: ClusterActorSystem

    init(_ call: IncomingCall, in loop: ActorLoop) {
        self.call = call
        system = loop.system
    }

    func answer(_ result: Result<Reply, CallError>) {
        switch result {
        case .success(let reply): call.succeed(reply, through: system)
        case .failure(let error): call.refuse(error, through: system)
        }
    }
}
