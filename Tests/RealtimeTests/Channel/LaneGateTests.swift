import FluxCore
import FluxStore
import Testing

@testable import FluxRealtime

/// Who finds a lane full waits for it, in order (design 6).
@Suite struct LaneGateTests {
    @Test func whoeverComesWhileOthersWaitWaitsBehindThem() {
        let gate = LaneGate(lanes: 2)
        var order: [Int] = []
        for number in 0..<3 {
            #expect(gate.wait(forLane: 1, at: 0, proceed: { order.append(number) }, giveUp: {}))
        }
        #expect(gate.isClosed(lane: 1) && !gate.isClosed(lane: 0))
        gate.open()
        #expect(order == [0, 1, 2])
        #expect(!gate.isClosed(lane: 1) && gate.waitingCount == 0)
    }

    @Test func whoFindsTheLaneFullAgainKeepsItsPlace() {
        let gate = LaneGate(lanes: 1)
        var order: [Int] = []
        var room = 0
        func attempt(_ number: Int) {
            guard room > 0 else {
                _ = gate.wait(forLane: 0, at: 0, proceed: { attempt(number) }, giveUp: {})
                return
            }
            room -= 1
            order.append(number)
        }
        for number in 0..<5 { attempt(number) }
        for _ in 0..<3 {
            room = 2
            gate.open()
        }
        #expect(order == [0, 1, 2, 3, 4])
    }

    @Test func waitingIsBoundedInTimeAndNumber() {
        let gate = LaneGate(lanes: 1)
        var givenUp = 0
        for _ in 0..<LaneGate.maximumWaiting {
            #expect(gate.wait(forLane: 0, at: 5, proceed: {}, giveUp: { givenUp += 1 }))
        }
        #expect(!gate.wait(forLane: 0, at: 5, proceed: {}, giveUp: {}))
        gate.expire(at: 5 + LaneGate.patienceMilliseconds - 1)
        #expect(givenUp == 0)
        gate.expire(at: 5 + LaneGate.patienceMilliseconds)
        #expect(givenUp == LaneGate.maximumWaiting && gate.waitingCount == 0)
    }

    /// A lane that holds four changes, and a hundred senders: all are committed, each sender's in order, and nobody is refused.
    @Test func sendersWaitForAFullLane() async throws {
        var limits = LaneLimits()
        limits.rows = 4
        try await TestNode.run(laneLimits: limits) { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let client = try await node.connect(owner)
            let sent = try await withThrowingTaskGroup(of: [Int].self) { group in
                for sender in 0..<100 {
                    group.addTask {
                        var seqs: [Int] = []
                        for number in 0..<3 {
                            let message = try await node.say("\(sender).\(number)", in: guild.channel, as: owner)
                            seqs.append(try #require(message["seq"]?.intValue))
                        }
                        #expect(seqs == seqs.sorted())
                        return seqs
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(sent.sorted() == Array(1...300))
            await client.until { dispatches, _, _ in dispatches.count { $0.kind == .messageCreate } == 300 }
            #expect(client.sequences(of: guild.channel) == Array(1...300))
        }
    }
}
