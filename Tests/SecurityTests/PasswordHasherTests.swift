import FluxFuzzing
import Foundation
import Testing

@testable import FluxSecurity

@Suite(.timeLimit(FuzzBudget.timeLimit)) struct PasswordHasherTests {
    /// Cheap parameters for tests of everything but the cost.
    static let cheap = PasswordHasher.Parameters(memoryKibibytes: 64, passes: 1, lanes: 1)

    /// From the test suite of the reference implementation: t=2, m=2^8, p=1, version 19.
    @Test func givesTheVectorOfTheReferenceImplementation() async throws {
        let stored = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
        let hasher = PasswordHasher(parameters: Self.cheap, threads: 1)
        #expect(try await hasher.verify("password", against: stored))
        #expect(try await !hasher.verify("Password", against: stored))
        let parsed = try #require(PasswordHash(parsing: stored))
        #expect(parsed.parameters == .init(memoryKibibytes: 256, passes: 2, lanes: 1))
        #expect(parsed.salt == Array("somesalt".utf8))
        #expect(parsed.text == stored)
    }

    @Test func hashesWithTheStatedParametersAndANewSaltEachTime() async throws {
        let hasher = PasswordHasher(threads: 1)
        let first = try await hasher.hash("correct horse")
        let second = try await hasher.hash("correct horse")
        #expect(first.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(first != second)
        #expect(try await hasher.verify("correct horse", against: first))
        #expect(try await !hasher.verify("correct house", against: first))
        #expect(!hasher.needsRehash(first))
    }

    @Test func recognisesHashesOfOtherParameters() async throws {
        let old = try await PasswordHasher(parameters: Self.cheap, threads: 1).hash("x")
        #expect(PasswordHasher(threads: 1).needsRehash(old))
    }

    @Test(arguments: [
        "", "$", "plain text", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=999,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=+256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=256,t=2$c29tZXNhbHQ$nf65",
    ])
    func refusesWhatIsNoHashOfOurs(stored: String) async {
        let hasher = PasswordHasher(parameters: Self.cheap, threads: 1)
        await #expect(throws: PasswordHasher.Failure.malformedHash) {
            try await hasher.verify("x", against: stored)
        }
    }

    @Test func parsingStoredHashesIsTotal() async {
        let valid = Array("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4".utf8)
        var generator = SeededGenerator(seed: 2)
        for await _ in GivingWay(0..<FuzzBudget.inputs) {
            let text = String(decoding: generator.mutate(valid), as: UTF8.self)
            if let parsed = PasswordHash(parsing: text) {
                #expect(PasswordHash(parsing: parsed.text) == parsed)
                #expect(parsed.parameters.memoryKibibytes <= 1 << 20)
            }
        }
    }

    @Test func verifyingForNobodyRunsTheSameFunctionWithTheSameCost() async throws {
        // Time is not asserted. What is: the dummy goes through the pool, so it meets the same bound.
        let hasher = PasswordHasher(parameters: Self.cheap, threads: 1)
        try await hasher.verifyDummy("anything")
        hasher.shutdown()
        await #expect(throws: PasswordHasher.Failure.stopped) { try await hasher.verifyDummy("anything") }
    }
}

@Suite(.timeLimit(.minutes(10))) struct WorkerPoolTests {
    /// Work that holds its thread until it is let go.
    private final class Gate: Sendable {
        private let opened = DispatchSemaphore(value: 0)
        private let reached = DispatchSemaphore(value: 0)

        func hold() {
            reached.signal()
            opened.wait()
        }

        func waitUntilReached() { reached.wait() }
        func open() { opened.signal() }
    }

    @Test func refusesBeyondItsBoundAndServesWithinIt() async {
        let pool = WorkerPool(name: "test", threads: 1, queueLimit: 2)
        let gate = Gate()
        async let held = pool.run {
            gate.hold()
            return 0
        }
        await Self.blocking { gate.waitUntilReached() }
        let outcomes = await withTaskGroup(of: WorkerPool.Outcome<Int>.self) { group in
            for index in 1...5 { group.addTask { await pool.run { index } } }
            var refused = 0
            var finished = 0
            for await outcome in group {
                switch outcome {
                case .overloaded:
                    refused += 1
                    // Three find the queue full before the thread is free again, and nobody else is refused.
                    if refused == 3 { gate.open() }
                case .finished: finished += 1
                case .cancelled, .stopped: Issue.record("nothing was cancelled or stopped")
                }
            }
            return (refused, finished)
        }
        #expect(outcomes == (3, 2))
        guard case .finished(0) = await held else {
            Issue.record("the work under way was lost")
            return
        }
        pool.stop()
    }

    @Test func aCancelledCallLeavesTheQueue() async {
        let pool = WorkerPool(name: "test", threads: 1, queueLimit: 1)
        let gate = Gate()
        async let held = pool.run { gate.hold() }
        await Self.blocking { gate.waitUntilReached() }
        let waiting = Task { await pool.run {} }
        waiting.cancel()
        guard case .cancelled = await waiting.value else {
            Issue.record("a cancelled call went on waiting")
            return
        }
        gate.open()
        _ = await held
        // Its place is free again.
        guard case .finished = await pool.run({}) else {
            Issue.record("the place of a cancelled call stays taken")
            return
        }
        pool.stop()
    }

    @Test func stoppingFailsWhatWaitsAndLetsWorkUnderWayEnd() async {
        let pool = WorkerPool(name: "test", threads: 1, queueLimit: 8)
        let gate = Gate()
        async let held = pool.run {
            gate.hold()
            return true
        }
        await Self.blocking { gate.waitUntilReached() }
        let waiting = Task { await pool.run { false } }
        pool.stop()
        gate.open()
        guard case .finished(true) = await held else {
            Issue.record("work under way was lost")
            return
        }
        guard case .stopped = await waiting.value else {
            Issue.record("a waiting call was served after the stop")
            return
        }
    }

    /// Waits outside the cooperative pool.
    private static func blocking(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                body()
                continuation.resume()
            }
        }
    }
}
