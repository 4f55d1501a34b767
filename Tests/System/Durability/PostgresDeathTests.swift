import FluxFuzzing
import Foundation
import Testing

extension HeavyTests {
    /// kill -9 of Postgres in the middle of talk. The node lives on, starts its private server again and commits what it
    /// holds; no session ends, nothing that was shown is taken back.
    @Suite(.serialized) struct PostgresDeathTests {
        @Test func aKilledPostgresLosesNothing() async throws {
            let seed = Rounds.seed()
            print("aKilledPostgresLosesNothing: FLUX_SEED=\(seed)")
            try await withNode { node in
                for number in 0..<Rounds.count(inCI: 2) {
                    let world = try await ChatWorld(on: node)
                    let report = try await world.round("p\(number)", seed: seed &+ UInt64(number)) {
                        progress, generator in
                        try await kill(number % 2 == 0 ? .postmaster : .backend, of: node, progress, &generator)
                    }
                    print("  round \(number): \(report)")
                    try #require(node.process.ended == nil)
                    try #require(report.lostSessions == 0)
                    try #require(report.entriesDiscarded == 0)
                }
            }
        }

        private enum Victim {
            /// The server itself; its backends follow it.
            case postmaster
            /// One backend; the postmaster ends all others and recovers from the log.
            case backend
        }

        private func kill(
            _ victim: Victim, of node: NodeProcess, _ progress: Progress, _ generator: inout SeededGenerator
        ) async throws {
            let postmaster = try #require(node.postmaster)
            let process: pid_t
            switch victim {
            case .postmaster: process = postmaster
            case .backend: process = try #require(Self.backends(of: postmaster).randomElement(using: &generator))
            }
            progress.strike(at: Int.random(in: 1...ChatWorld.announcements, using: &generator)) {
                _ = Foundation.kill(process, SIGKILL)
            }
            try await progress.waitForStrike()
            guard victim == .postmaster else { return }
            _ = try await eventually("another Postgres") {
                node.postmaster.map { $0 != postmaster } == true ? true : nil
            }
        }

        /// The processes that serve connections.
        private static func backends(of postmaster: pid_t) throws -> [pid_t] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { process in
                guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
                    let afterName = stat.lastIndex(of: ")"),
                    let title = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
                else { return false }
                let parent = stat[afterName...].split(separator: " ")[2]
                return pid_t(parent) == postmaster
                    && String(decoding: title, as: UTF8.self).contains("flux flux [local]")
            }
        }
    }
}
