import FluxCore
import Testing

@testable import FluxRealtime

/// Clients are told to come back elsewhere: at the stated rate, whoever asks for it, and only as long as there is a reason.
@Suite struct FarewellTests {
    private func clients(_ count: Int, on node: TestNode) async throws -> [TestClient] {
        let caller = try await node.person("farewell")
        var clients: [TestClient] = []
        for _ in 0..<count { clients.append(try await node.connect(caller)) }
        return clients
    }

    private func told(_ clients: [TestClient]) -> Int { clients.count { $0.closed != nil } }

    private func untilSomebodyIsTold(_ clients: [TestClient]) async throws {
        for _ in 0..<6_000 where told(clients) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        try #require(told(clients) > 0)
    }

    @Test func nobodyIsToldAfterTheNodeTakesClientsAgain() async throws {
        try await TestNode.run { node in
            let clients = try await clients(8, on: node)
            let draining = Task { await node.realtime.drainSessions(perSecond: 1) }
            try await untilSomebodyIsTold(clients)
            node.realtime.endDraining()
            // It does not go on until all are told.
            await draining.value
            let before = told(clients)
            #expect(before < clients.count)
            let late = try await node.connect(clients[0].caller)
            try await Task.sleep(for: .milliseconds(1_300))
            #expect(told(clients) == before)
            #expect(late.closed == nil)
        }
    }

    @Test func aReasonThatIsLeftKeepsItUp() async throws {
        try await TestNode.run { node in
            let clients = try await clients(3, on: node)
            let draining = Task { await node.realtime.drainSessions(perSecond: 1) }
            try await untilSomebodyIsTold(clients)
            node.realtime.sendClientsAway()
            node.realtime.takeClientsAgain()
            await draining.value
            #expect(told(clients) == clients.count)
        }
    }

    @Test func twoWhoAskAreNoFaster() async throws {
        try await TestNode.run { node in
            let clients = try await clients(2, on: node)
            let begin = ContinuousClock.now
            async let first: Void = node.realtime.drainSessions(perSecond: 1)
            async let second: Void = node.realtime.drainSessions(perSecond: 1)
            _ = await (first, second)
            #expect(told(clients) == 2)
            // One at once, one after a second, and after another one nobody is left.
            #expect(ContinuousClock.now - begin > .milliseconds(1_900))
        }
    }
}
