import Synchronization

/// Takes the answer to one hot call.
///
/// May be kept for later (a reply that waits for a commit) and used from any thread; the first answer counts, later ones
/// are ignored. Dropped without an answer, it answers `CallError.unanswered`.
public final class Responder<Reply: WireCodable>: Sendable {
    private let sink: any ReplySink<Reply>
    private let ticket: ActorTicket
    private let home: ActorLoop
    private let isAnswered = Atomic<Bool>(false)

    init(sink: any ReplySink<Reply>, ticket: ActorTicket, home: ActorLoop) {
        self.sink = sink
        self.ticket = ticket
        self.home = home
    }

    deinit {
        if !isAnswered.load(ordering: .relaxed) {
            sink.answer(.failure(.unanswered))
            home.finished(ticket)
        }
    }

    /// Answers the call.
    public func callAsFunction(_ result: Result<Reply, CallError>) {
        guard !isAnswered.exchange(true, ordering: .relaxed) else { return }
        sink.answer(result)
        home.finished(ticket)
    }

    /// Answers the call with a reply.
    public func callAsFunction(_ reply: Reply) {
        self(.success(reply))
    }

    /// Answers the call with an error of the application.
    public func refuse(_ failure: any WireFailure) {
        self(.failure(.refused(failure)))
    }

    /// Answers the call with whatever came up: an error of the application, or `SlotLoss`.
    public func fail(_ error: any Error) {
        self(.failure(CallError(carrying: CallError.report(of: error))))
    }
}

/// Where an answer goes: to a callback on a loop of this node, or back to another node.
protocol ReplySink<Reply>: AnyObject, Sendable {
    associatedtype Reply: WireCodable
    /// Called once, on any thread.
    func answer(_ result: Result<Reply, CallError>)
}
