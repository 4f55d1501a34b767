import Distributed
import NIOCore

/// A call of a distributed func that this node makes.
///
/// `@unchecked Sendable` as its superclass: `continuation` and `isCancelled` are used only on the home loop.
final class DistributedCall<Reply: WireCodable>: OutstandingCall, @unchecked Sendable {
    private let target: RemoteCallTarget
    private let invocation: CallInvocationEncoder
    private var continuation: CheckedContinuation<Reply, any Error>?
    private var isCancelled = false
    private let repeated: (@Sendable () -> Void)?

    init(
        _ target: RemoteCallTarget, invocation: CallInvocationEncoder, address: ActorAddress, options: CallOptions,
        home: ActorLoop
    ) {
        self.target = target
        self.invocation = invocation
        repeated = options.onRepeat
        super.init(
            address: address, deadline: .now() + options.deadline,
            isRepeatable: options.isIdempotent || invocation.isRepeatable, home: home)
    }

    /// Makes the call and waits for the answer, the deadline, or the cancellation of the caller, which gives up the answer
    /// and not the work.
    func reply() async throws -> Reply {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                home.post { loop in
                    self.continuation = continuation
                    if self.isCancelled {
                        self.fail(CancellationError())
                    } else {
                        loop.begin(self)
                    }
                }
            }
        } onCancel: {
            home.post { loop in
                self.isCancelled = true
                loop.settle(self) { $0.fail(CancellationError()) }
            }
        }
    }

    override var method: ClusterFrame.Method { .name(target.identifier) }

    override var onRepeat: (@Sendable () -> Void)? { repeated }

    override func encodeArguments(to writer: inout WireWriter) {
        invocation.encode(to: &writer)
    }

    override func run(on actor: any KeyedActor, ticket: ActorTicket, in loop: ActorLoop) {
        Task(executorPreference: loop.executor) {
            var decoder = CallInvocationDecoder(self.invocation)
            await loop.system.execute(
                self.target, on: actor, decoder: &decoder,
                onReturn: { value in self.answer(value) },
                onThrow: { error in self.refuse(CallError.report(of: error), in: loop) })
            loop.finished(ticket)
        }
    }

    override func fail(_ error: any Error) {
        let thrown = (error as? CallError)?.thrown ?? error
        continuation?.resume(throwing: thrown)
        continuation = nil
    }

    override func receive(_ reply: inout WireReader) {
        do throws(WireError) {
            succeed(try reply.value())
        } catch {
            fail(CallError.malformed(error))
        }
    }

    private func answer(_ value: any WireCodable) {
        home.post { loop in
            loop.settle(self) { _ in
                if let reply = value as? Reply {
                    self.succeed(reply)
                } else {
                    self.fail(CallError.malformed(.malformed("reply of another type")))
                }
            }
        }
    }

    private func succeed(_ reply: Reply) {
        continuation?.resume(returning: reply)
        continuation = nil
    }
}
