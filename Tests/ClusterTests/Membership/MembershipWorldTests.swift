import FluxCluster
import FluxCore
import FluxFuzzing
import FluxSimulation
import Testing

/// The promises of design 5 about failure detection, on virtual time, for many seeds.
@Suite struct MembershipWorldTests {
    /// Seeds of each promise.
    private static let seeds = FuzzBudget.seeds(60, full: 1_000)

    /// Nodes that agree that all are there.
    private func settledWorld(nodes: Int, seed: UInt64) throws -> ClusterWorld {
        var world = ClusterWorld(nodes: nodes, seed: seed)
        let agreed = world.run(atMost: .seconds(5)) { $0.isAgreed }
        try #require(agreed, "seed \(seed): \(nodes) nodes did not find each other")
        world.run(for: .milliseconds(1_000 + Int64(seed % 997)))
        return world
    }

    private func node(_ number: UInt16) -> NodeID { NodeID(rawValue: number)! }

    /// When everybody who runs held the node dead or gone.
    private func allHoldDead(_ node: NodeID, in world: ClusterWorld) -> Bool {
        world.running.allSatisfy { world.machine(of: $0)?.health(of: node)?.isLiving == false }
    }

    private func deaths(in world: ClusterWorld) -> [ClusterWorld.Observation] {
        world.observations.filter { $0.change.health == .dead }
    }

    @Test(arguments: [2, 3, 5, 9])
    func aProcessThatIsGoneIsConfirmedWithinTwoSeconds(nodes: Int) throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: nodes, seed: seed)
            world.kill(node(2), .process)
            let found = world.run(atMost: .seconds(2)) { allHoldDead(node(2), in: $0) }
            try #require(found, "seed \(seed)")
            try #require(deaths(in: world).allSatisfy { $0.change.identity.id == node(2) }, "seed \(seed)")
        }
    }

    @Test(arguments: [2, 3, 5, 9])
    func aHostThatIsSilentIsConfirmedWithinFiveSeconds(nodes: Int) throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: nodes, seed: seed)
            world.kill(node(2), .host)
            let found = world.run(atMost: .seconds(5)) { allHoldDead(node(2), in: $0) }
            try #require(found, "seed \(seed)")
            try #require(deaths(in: world).allSatisfy { $0.change.identity.id == node(2) }, "seed \(seed)")
        }
    }

    @Test(arguments: [2, 3, 5])
    func aNodeThatIsPausedForASecondIsNotHeldDead(nodes: Int) throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: nodes, seed: seed)
            for number in 1...UInt16(nodes) {
                world.pause(node(number), for: .seconds(1))
                world.run(for: .seconds(4))
            }
            try #require(deaths(in: world).isEmpty, "seed \(seed): \(deaths(in: world))")
            let agreed = world.run(atMost: .seconds(5)) { $0.isAgreed }
            try #require(agreed, "seed \(seed)")
        }
    }

    @Test(arguments: [3, 5])
    func lossesAndPausesBuryNobody(nodes: Int) throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: nodes, seed: seed)
            world.network.loss = 0.05
            for turn in 0..<4 {
                world.pause(node(UInt16(turn % nodes) + 1), for: .seconds(1))
                world.run(for: .seconds(5))
            }
            try #require(deaths(in: world).isEmpty, "seed \(seed): \(deaths(in: world))")
        }
    }

    @Test func aNodeThatStoodStillForLongBlamesNobodyAndComesBack() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 5, seed: seed)
            world.pause(node(3), for: .seconds(10))
            world.run(for: .seconds(9))
            try #require(
                world.running.allSatisfy { $0 == node(3) || world.machine(of: $0)?.health(of: node(3)) == .dead })
            let agreed = world.run(atMost: .seconds(8)) { $0.isAgreed }
            try #require(agreed, "seed \(seed)")
            try #require(deaths(in: world).allSatisfy { $0.observer != node(3) }, "seed \(seed)")
        }
    }

    @Test func bothSidesOfAPartitionHoldTheOtherDeadAndAgreeAfterIt() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 5, seed: seed)
            let (majority, minority) = ([1, 2, 3].map { node($0) }, [4, 5].map { node($0) })
            world.network.cut(between: majority, and: minority)
            let isSplit = world.run(atMost: .seconds(8)) { world in
                majority.allSatisfy { one in
                    minority.allSatisfy { world.machine(of: one)?.health(of: $0) == .dead }
                }
            }
            try #require(isSplit, "seed \(seed)")
            world.run(for: .seconds(Int64(seed % 5)))
            world.network.heal()
            let agreed = world.run(atMost: .seconds(10)) { $0.isAgreed }
            try #require(agreed, "seed \(seed)")
        }
    }

    @Test func aCutBetweenTwoNodesKillsNeither() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 5, seed: seed)
            world.network.cut(from: node(1), to: node(2))
            if seed.isMultiple(of: 2) { world.network.cut(from: node(2), to: node(1)) }
            world.run(for: .seconds(15))
            try #require(deaths(in: world).isEmpty, "seed \(seed): \(deaths(in: world))")
            // Everybody knows that there is no link between the two, and between all others there is.
            let view = try #require(world.machine(of: node(4))).view
            try #require(!view.areLinked(node(1), node(2)), "seed \(seed)")
            try #require(view.areLinked(node(1), node(3)) && view.areLinked(node(2), node(3)), "seed \(seed)")
            world.network.heal()
            let agreed = world.run(atMost: .seconds(10)) { world in
                world.isAgreed
                    && world.running.allSatisfy {
                        world.machine(of: $0)?.view.areLinked(node(1), node(2)) == true
                    }
            }
            try #require(agreed, "seed \(seed)")
        }
    }

    @Test func aRestartedNodeIsBackAsALaterIncarnation() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 3, seed: seed)
            world.kill(node(2), seed.isMultiple(of: 2) ? .process : .host)
            world.run(for: .milliseconds(Int64(seed * 37 % 6_000)))
            world.start(node(2))
            let agreed = world.run(atMost: .seconds(5)) { world in
                world.isAgreed
                    && world.running.allSatisfy {
                        $0 == node(2) || world.machine(of: $0)?.view.members[node(2)]?.member.identity.incarnation == 2
                    }
            }
            try #require(agreed, "seed \(seed)")
        }
    }

    @Test func whoLeavesIsNotSuspected() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 5, seed: seed)
            world.leave(node(4))
            let known = world.run(atMost: .seconds(1)) { world in
                world.running.allSatisfy { world.machine(of: $0)?.health(of: node(4)) == .left }
            }
            try #require(known, "seed \(seed)")
            world.run(for: .seconds(5))
            let suspicions = world.observations.filter { $0.change.health == .suspect }
            try #require(suspicions.isEmpty, "seed \(seed): \(suspicions)")
        }
    }

    @Test func whateverHappensAllAgreeAfterwards() throws {
        for seed in FuzzBudget.seeds(300, full: 5_000) {
            var faults = SplitMix64(seed: seed &* 7_919)
            let count = UInt16.random(in: 2...6, using: &faults)
            var world = ClusterWorld(nodes: Int(count), seed: seed)
            for _ in 0..<6 {
                world.run(for: .milliseconds(Int64.random(in: 0...2_000, using: &faults)))
                let (one, other) = (
                    node(.random(in: 1...count, using: &faults)), node(.random(in: 1...count, using: &faults))
                )
                switch Int.random(in: 0...7, using: &faults) {
                case 0: world.kill(one, .process)
                case 1: world.kill(one, .host)
                case 2: world.start(one)
                case 3: world.pause(one, for: .milliseconds(Int64.random(in: 10...5_000, using: &faults)))
                case 4: world.network.cut(from: one, to: other)
                case 5: world.network.cut(between: [one], and: world.nodeIDs)
                case 6: world.network.loss = .random(in: 0...0.3, using: &faults)
                default: if one != other { world.breakLink(one, other) }
                }
            }
            world.network.heal()
            world.network.loss = 0
            for node in world.nodeIDs { world.start(node) }
            let agreed = world.run(atMost: .seconds(60)) { $0.isAgreed }
            try #require(agreed, "seed \(seed)")
        }
    }

    @Test func aSeedRepeatsItsHistory() {
        func history(_ seed: UInt64) -> [String] {
            var world = ClusterWorld(nodes: 5, seed: seed)
            world.network.loss = 0.1
            world.run(for: .seconds(3))
            world.kill(node(2), .process)
            world.pause(node(3), for: .seconds(3))
            world.run(for: .seconds(10))
            return world.observations.map { "\($0.time) \($0.observer) \($0.change)" } + ["\(world.messageCount)"]
        }
        #expect(history(11) == history(11))
        #expect(history(11) != history(12))
    }
}
