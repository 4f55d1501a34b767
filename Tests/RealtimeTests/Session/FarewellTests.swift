import FluxCore
import Testing

@testable import FluxRealtime

/// Clients are told to come back elsewhere only as long as there is a reason. That it happens once at a time is `SingleTaskTests`'.
@Suite struct FarewellTests {
    private func clients(_ count: Int, on node: TestNode) async throws -> [TestClient] {
        let caller = try await node.person("farewell")
        var clients: [TestClient] = []
        for _ in 0..<count { clients.append(try await node.connect(caller)) }
        return clients
    }

    private func told(_ clients: [TestClient]) -> Int { clients.count { $0.closed != nil } }

    private func untilSomebodyIsTold(_ clients: [TestClient]) async throws {
        try await eventually("somebody is told") { told(clients) > 0 }
    }

    @Test func nobodyIsToldAfterTheNodeTakesClientsAgain() async throws {
        try await TestNode.run { node in
            let clients = try await clients(8, on: node)
            let draining = Task { await node.realtime.drainSessions(perSecond: 1) }
            try await untilSomebodyIsTold(clients)
            node.realtime.endDraining()
            // It has ended, and not because all are told.
            await draining.value
            let before = told(clients)
            #expect(before < clients.count)
            let late = try await node.connect(clients[0].caller)
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
}
