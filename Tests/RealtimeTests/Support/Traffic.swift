import FluxCore
import NIOConcurrencyHelpers
import Synchronization

@testable import FluxRealtime

/// Messages without a pause into some channels, for as long as a closure runs: several senders, each waiting for the
/// acknowledgement of its last message, which makes some hundreds a second.
final class Traffic: Sendable {
    private let isOver = Atomic<Bool>(false)
    private let total = Atomic<Int>(0)
    /// A sender met an error that the test does not want, which `run` throws.
    private let isBroken = Atomic<Bool>(false)

    /// How many messages were acknowledged so far.
    var sent: Int { total.load(ordering: .relaxed) }

    /// Runs `body` under load, then lets the senders finish.
    /// - Parameter tolerates: whether a refusal is what the test wants; the sender goes on to the next channel.
    static func run<Value: Sendable>(
        by sender: Caller, in channels: [ChannelID], on node: TestNode, senders: Int = 4,
        tolerates: @escaping @Sendable (APIError) -> Bool = { _ in false },
        _ body: (Traffic) async throws -> Value
    ) async throws -> Value {
        let traffic = Traffic()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<senders {
                group.addTask {
                    var number = 0
                    while !traffic.isOver.load(ordering: .relaxed) {
                        number += 1
                        do {
                            try await node.say("t\(lane).\(number)", in: channels[number % channels.count], as: sender)
                            traffic.total.wrappingAdd(1, ordering: .relaxed)
                        } catch let error as APIError where tolerates(error) {
                            await Task.yield()
                        } catch {
                            traffic.isBroken.store(true, ordering: .relaxed)
                            throw error
                        }
                    }
                }
            }
            let result: Result<Value, any Error>
            do { result = .success(try await body(traffic)) } catch { result = .failure(error) }
            traffic.isOver.store(true, ordering: .relaxed)
            try await group.waitForAll()
            return try result.get()
        }
    }

    /// Waits until so many more messages were acknowledged.
    func flow(_ count: Int) async throws {
        let aim = sent + count
        while sent < aim {
            try Task.checkCancellation()
            if isBroken.load(ordering: .relaxed) { throw CancellationError() }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
