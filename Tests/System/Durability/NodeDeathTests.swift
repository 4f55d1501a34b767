import FluxFuzzing
import Foundation
import Testing

extension HeavyTests {
    /// kill -9 of the node in the middle of talk: nothing acknowledged is lost, nothing is there twice, and who saw what did
    /// not survive is told so. All rounds on one node, which comes back each time to what it left.
    @Suite(.serialized) struct NodeDeathTests {
        @Test func aKilledNodeLosesNothing() async throws {
            let seed = Rounds.seed()
            print("aKilledNodeLosesNothing: FLUX_SEED=\(seed)")
            try await withNode { node in
                for number in 0..<Rounds.count(inCI: 3) {
                    let world = try await ChatWorld(on: node)
                    let report = try await world.round("n\(number)", seed: seed &+ UInt64(number)) {
                        progress, generator in
                        try await kill(node, progress, &generator)
                    }
                    print("  round \(number): \(report)")
                }
            }
        }

        /// Kills the node at a random announcement and starts it again a random time later.
        private func kill(
            _ node: NodeProcess, _ progress: Progress, _ generator: inout SeededGenerator
        ) async throws {
            let process = node.process
            progress.strike(at: Int.random(in: 1...ChatWorld.announcements, using: &generator)) {
                process.signal(SIGKILL)
            }
            try await progress.waitForStrike()
            try await process.waitForEnd()
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...800, using: &generator)))
            try await node.restart()
        }
    }
}
