import FluxCore
import Foundation
import Testing

/// What `flux node` says where a node cannot do what it is asked: nobody takes its slots, or it does not answer at all.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DrainTests {
    private static func command(
        _ arguments: [String], on node: NodeProcess
    ) async throws -> (ending: ChildProcess.Ending, output: String, errors: String) {
        try await ChildProcess.run(["node"] + arguments + ["--admin", node.adminURL], within: .seconds(150))
    }

    /// How many slots Postgres says that the node owns.
    private static func slots(_ number: Int, of cluster: ClusterProcess) async -> Int? {
        let nodes = await cluster.ask(number, .GET, "/nodes")?["nodes"]?.arrayValue
        return nodes?.first { $0["name"]?.stringValue == cluster[number].name }?["slots"]?.intValue
    }

    @Test func aNodeWhoseSlotsNobodyTakesIsNotDrained() async throws {
        try await ClusterProcess.with(2) { cluster in
            cluster.isolate(1)
            // Said twice it is as untrue as said once.
            for _ in 0..<2 {
                let refused = try await Self.command(["drain"], on: cluster[0])
                #expect(refused.ending == .exit(16), "\(refused.errors)")
                #expect(
                    refused.errors.contains("The node is still draining: `flux node undrain` ends that."),
                    "\(refused.errors)")
                #expect(await Self.slots(0, of: cluster) ?? 0 > 0)
            }
            // What cannot be given away keeps the node from leaving, too.
            let stayed = try await Self.command(["leave"], on: cluster[0])
            #expect(stayed.ending == .exit(16), "\(stayed.errors)")
            #expect(try await Self.command(["status"], on: cluster[0]).ending == .exit(0))
            cluster.network.mend()
            // The drain that was refused goes on by itself.
            _ = try await eventually("the slots to go", within: .seconds(150), every: .milliseconds(500)) {
                await Self.slots(0, of: cluster) == 0 ? true : nil
            }
            _ = try await eventually("the node to be drained", within: .seconds(150), every: .milliseconds(500)) {
                () async throws -> Bool? in
                try await Self.command(["drain"], on: cluster[0]).ending == .exit(0) ? true : nil
            }
            let undrained = try await Self.command(["undrain"], on: cluster[0])
            #expect(undrained.ending == .exit(0), "\(undrained.errors)")
            try await cluster.waitUntilWhole()
            // Of those that leave one after the other the last one takes what is left with it.
            for node in [cluster[0], cluster[1]] {
                let left = try await Self.command(["leave"], on: node)
                #expect(left.ending == .exit(0), "\(left.errors)")
                #expect(left.output == "left\n")
            }
        }
    }

    /// The only node has nobody to give anything to: that is no failure.
    @Test func theOnlyNodeIsDrained() async throws {
        try await withNode { node in
            let drained = try await Self.command(["drain"], on: node)
            #expect(drained.ending == .exit(0), "\(drained.errors)")
            #expect(drained.output == "drained\n")
        }
    }

    /// The kernel takes connections in the name of a process that was stopped.
    @Test func aNodeThatSaysNothingKeepsNoCommandForEver() async throws {
        try await withNode { node in
            node.pause()
            async let listed = Self.command(["ls"], on: node)
            async let shown = Self.command(["status"], on: node)
            for answer in [try await listed, try await shown] {
                #expect(answer.ending == .exit(17))
                #expect(answer.errors.contains("has said nothing for 15s"), "\(answer.errors)")
            }
            node.proceed()
            let later = try await Self.command(["ls"], on: node)
            #expect(later.ending == .exit(0), "\(later.errors)")
        }
    }
}
