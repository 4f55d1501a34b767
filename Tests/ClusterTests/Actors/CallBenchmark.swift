import FluxCluster
import FluxCore
import NIOConcurrencyHelpers
import NIOCore
import Testing

/// Prints what calls cost on one node; asserts only that they were made.
@Suite(.serialized) struct CallBenchmark {
    @Test(arguments: [true, false])
    func hotCalls(isOnSameLoop: Bool) async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            let system = node.system
            let address = ActorAddress.counter(1)
            _ = try await system.invoke(Counter.add, on: address, 1)
            let home = node.mesh.index(of: address.slot)
            let source = isOnSameLoop ? home : 1 - home
            let (batches, size) = (100, 200)
            let clock = ContinuousClock()
            let start = clock.now
            for _ in 0..<batches {
                await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                    let left = NIOLockedValueBox(size)
                    node.mesh.post(to: source) {
                        for _ in 0..<size {
                            system.invoke(Counter.add, on: address, 1) { _ in
                                let isLast = left.withLockedValue { left in
                                    left -= 1
                                    return left == 0
                                }
                                if isLast { continuation.resume() }
                            }
                        }
                    }
                }
            }
            let each = (clock.now - start) / (batches * size)
            print("hot call, \(isOnSameLoop ? "same loop" : "other loop"), batches of \(size): \(each)")
            let total = try await system.invoke(Counter.add, on: address, 0)
            #expect(total == batches * size + 1)
        }
    }

    @Test func distributedCalls() async throws {
        try await TestCluster.run { cluster in
            let counter = try cluster.nodes[0].counter(1)
            let executor = cluster.nodes[0].mesh.executor(of: ActorAddress.counter(1).slot)
            let count = 2_000
            let each = try await Task(executorPreference: executor) {
                let clock = ContinuousClock()
                let start = clock.now
                for _ in 0..<count { try await counter.touch() }
                return (clock.now - start) / count
            }.value
            print("distributed call, same loop: \(each)")
            #expect(each > .zero)
        }
    }
}
