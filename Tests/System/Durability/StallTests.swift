import Foundation
import NIOCore
import Testing

extension HeavyTests {
    /// The connection of a lane that stands still, or breaks, when the fence of a batch is in and its COMMIT is not.
    @Suite(.serialized) struct StallTests {
        private static let stall = TimeAmount.seconds(3)

        /// With a node that lives on: it learns what became of the batch, and everything is committed once.
        @Test func stallsAndLostAnswersLoseNothing() async throws {
            let seed = Rounds.seed()
            print("stallsAndLostAnswersLoseNothing: FLUX_SEED=\(seed)")
            let faults: [PostgresProxy.Fault] = [.stall(Self.stall), .stallAndBreak(Self.stall), .loseAnswer]
            try await withProxiedNode { node, proxy in
                for number in 0..<Rounds.count(inCI: 3) {
                    let fault = faults[number % faults.count]
                    let world = try await ChatWorld(on: node)
                    let report = try await world.round("s\(number)", seed: seed &+ UInt64(number)) {
                        progress, generator in
                        let strikes = proxy.strikes
                        progress.strike(at: Int.random(in: 1...ChatWorld.announcements, using: &generator)) {
                            proxy.arm(fault)
                        }
                        try await progress.waitForStrike()
                        try await proxy.waitForStrike(after: strikes)
                        // Connections of all kinds break now and then, too.
                        try await Task.sleep(for: .milliseconds(Int.random(in: 0...500, using: &generator)))
                        if Bool.random(using: &generator) { proxy.breakAll() }
                    }
                    print("  round \(number), \(fault): \(report)")
                    try #require(report.lostSessions == 0)
                    try #require(report.entriesDiscarded == 0)
                }
            }
        }

        /// With a node that is killed meanwhile: its successor does not wait for the dead one's transaction, and when the
        /// network at last delivers the COMMIT, nothing comes of it.
        @Test func aNodeKilledInAStallLosesNothing() async throws {
            let seed = Rounds.seed()
            print("aNodeKilledInAStallLosesNothing: FLUX_SEED=\(seed)")
            try await withProxiedNode { node, proxy in
                var discarded = 0
                for number in 0..<Rounds.count(inCI: 2) {
                    let world = try await ChatWorld(on: node)
                    let report = try await world.round("k\(number)", seed: seed &+ UInt64(number)) {
                        progress, generator in
                        let strikes = proxy.strikes
                        progress.strike(at: Int.random(in: 1...ChatWorld.announcements, using: &generator)) {
                            proxy.arm(.stall(Self.stall))
                        }
                        try await progress.waitForStrike()
                        try await proxy.waitForStrike(after: strikes)
                        try await Task.sleep(for: .milliseconds(Int.random(in: 0...2_500, using: &generator)))
                        try await node.kill()
                        try await node.restart()
                    }
                    print("  round \(number): \(report)")
                    discarded += report.entriesDiscarded
                }
                // What is shown while a lane stands still does not survive, and the clients are told.
                try #require(discarded > 0)
            }
        }
    }
}

/// Runs a test with a node whose Postgres lies behind a proxy.
func withProxiedNode<Value>(
    _ options: NodeProcess.Options = .init(),
    _ test: (NodeProcess, PostgresProxy) async throws -> Value
) async throws -> Value {
    try await withPostgres { postgres in
        let proxy = try await PostgresProxy.start(before: postgres.port)
        var options = options
        options.databaseURL = postgres.url(through: proxy.port)
        let result = await Result { try await withNode(options) { node in try await test(node, proxy) } }
        try await proxy.stop()
        return try result.get()
    }
}
