import NIOCore

/// A call of the message path that this node makes.
///
/// `@unchecked Sendable` as its superclass: `completion` is used only on the home loop, the arguments do not change.
final class HotCall<Target: KeyedActor, Arguments: WireCodable, Reply: WireCodable>: OutstandingCall, ReplySink,
    @unchecked Sendable
{
    private let call: Call<Target, Arguments, Reply>
    private let arguments: Arguments
    private let completion: @Sendable (Result<Reply, CallError>) -> Void

    init(
        _ call: Call<Target, Arguments, Reply>, address: ActorAddress, arguments: Arguments, deadline: NIODeadline,
        home: ActorLoop, completion: @escaping @Sendable (Result<Reply, CallError>) -> Void
    ) {
        self.call = call
        self.arguments = arguments
        self.completion = completion
        super.init(
            address: address, deadline: deadline, isRepeatable: call.isRepeatable(with: arguments), home: home)
    }

    override var method: ClusterFrame.Method { .number(call.number) }

    override var since: WireVersion { call.since }

    override func wakes(in loop: ActorLoop) -> Bool { call.wakes }

    override func encodeArguments(to writer: inout WireWriter) {
        writer.value(arguments)
    }

    override func run(on actor: any KeyedActor, ticket: ActorTicket, in loop: ActorLoop) {
        guard let handler = loop.handler(of: call.number) as? CallHandler<Target, Arguments, Reply>,
            let target = actor as? Target
        else {
            loop.finished(ticket)
            return refuse(CallError.unknownTarget, in: loop)
        }
        handler.run(on: target, arguments, Responder(sink: self, ticket: ticket, home: loop))
    }

    override func fail(_ error: any Error) {
        completion(.failure(CallError(carrying: error)))
    }

    override func receive(_ reply: inout WireReader) {
        do throws(WireError) {
            let value: Reply = try reply.value()
            completion(.success(value))
        } catch {
            completion(.failure(.malformed(error)))
        }
    }

    func answer(_ result: Result<Reply, CallError>) {
        home.post { loop in
            switch result {
            case .success: loop.settle(self) { _ in self.completion(result) }
            case .failure(let error): loop.failed(self, error)
            }
        }
    }
}
