import FluxCluster
import FluxCore
import Testing

@testable import FluxRealtime

/// A person's limits over three engines: who spreads calls over nodes gets no more than who stays on one (design 8).
@Suite(.serialized, .timeLimit(.minutes(3))) struct ClusterBudgetTests {
    /// As the limit over all routes, in a window that no test outlasts.
    private static let rule = RateWindow.Rule(tokens: 50, seconds: 3_600)

    private func allowed(
        _ count: Int, of user: UserID, _ bucket: UserBucket = .everything, on nodes: [TestNode]
    ) async -> Int {
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<count {
                let node = nodes[number % nodes.count]
                group.addTask { await node.realtime.takeBudget(bucket, of: user, rule: Self.rule).isAllowed }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
    }

    private func expect(
        _ wanted: Int, of count: Int, _ cluster: TestCluster, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let own = cluster.nodes.map(\.realtime.services.budgets.ownLoanCount)
        try #require(count == wanted, "without an answer: \(own)", sourceLocation: sourceLocation)
    }

    @Test func threeNodesTogetherLetThroughWhatOneWould() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let user = try cluster.nodes[0].realtime.mintID()
            try await expect(50, of: allowed(150, of: user, on: cluster.nodes), cluster)
            try await expect(0, of: allowed(30, of: user, on: cluster.nodes), cluster)
            // Other people and other limits are not touched.
            let other = try cluster.nodes[1].realtime.mintID()
            try await expect(50, of: allowed(50, of: other, on: [cluster.nodes[2]]), cluster)
            try await expect(50, of: allowed(60, of: user, .guildCreate, on: [cluster.nodes[0]]), cluster)
            // A portion at a time was asked for, and nothing for what was refused.
            let loans = cluster.nodes.map(\.realtime.services.budgets.loanCount).reduce(0, +)
            #expect((1...60).contains(loans))
        }
    }

    @Test func withoutTheLenderANodeLendsItselfAShare() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let user = try cluster.nodes[0].realtime.mintID()
            let owner = try cluster.owner(of: Slot(of: user))
            let others = cluster.nodes.indices.filter { $0 != owner }
            for other in others { cluster.network.cut(cluster.nodes[owner].id, cluster.nodes[other].id) }
            let share = 50 / BorrowedBudget.ownShare
            for other in others {
                try await expect(share, of: allowed(60, of: user, on: [cluster.nodes[other]]), cluster)
            }
            try await expect(50, of: allowed(60, of: user, on: [cluster.nodes[owner]]), cluster)
        }
    }

    @Test func theNextOwnerLendsOn() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let user = try cluster.nodes[0].realtime.mintID()
            let owner = try cluster.owner(of: Slot(of: user))
            let others = cluster.nodes.indices.filter { $0 != owner }.map { cluster.nodes[$0] }
            try await expect(50, of: allowed(100, of: user, on: others), cluster)
            try await cluster.takeOver(from: owner, by: cluster.nodes.indices.first { $0 != owner } ?? 0)
            // What was refused stays refused where it is known; elsewhere one window more may begin.
            try await expect(0, of: allowed(20, of: user, on: others), cluster)
            try await expect(50, of: allowed(100, of: user, .search, on: others), cluster)
        }
    }
}
