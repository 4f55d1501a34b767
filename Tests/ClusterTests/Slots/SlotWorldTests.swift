import FluxCluster
import FluxCore
import FluxFuzzing
import FluxSimulation
import Testing

/// The promises of design 5 about ownership, on virtual time, for many seeds.
@Suite struct SlotWorldTests {
    private static let seeds = FuzzBudget.seeds(3, full: 200)

    /// How often conditions about all slots are looked at.
    private let step = Duration.milliseconds(20)

    private func node(_ number: UInt16) -> NodeID { NodeID(rawValue: number)! }

    private func settledWorld(nodes: Int, seed: UInt64) throws -> ClusterWorld {
        var world = ClusterWorld(nodes: nodes, seed: seed, ownsSlots: true)
        let shared = world.run(atMost: .seconds(30), every: step) { $0.isSharedOut }
        try #require(shared, "seed \(seed): \(nodes) nodes did not share the slots out")
        world.run(for: .milliseconds(5_000 + Int64(seed % 997)))
        return world
    }

    private func owns(_ node: NodeID, in world: ClusterWorld) -> Bool {
        world.database.leases.values.contains { $0.node == node }
    }

    @Test func aSingleNodeOwnsEverythingAtOnce() throws {
        for seed in Self.seeds {
            var world = ClusterWorld(nodes: 1, seed: seed, ownsSlots: true)
            let shared = world.run(atMost: .seconds(1), every: step) { $0.isSharedOut }
            try #require(shared, "seed \(seed)")
            // Again after it was killed, without waiting for its own heartbeat to expire.
            world.kill(node(1), .process)
            world.start(node(1))
            let again = world.run(atMost: .seconds(1), every: step) { $0.isSharedOut }
            try #require(again, "seed \(seed)")
        }
    }

    @Test(arguments: [3, 5])
    func theOthersOwnTheSlotsOfADeadProcessWithinTwoSeconds(nodes: Int) throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: nodes, seed: seed)
            world.kill(node(2), .process)
            let moved = world.run(atMost: .seconds(2), every: step) { !owns(node(2), in: $0) && $0.isSharedOut }
            try #require(moved, "seed \(seed)")
            try #require(world.slotCounts.sessionsEnded == 0, "seed \(seed)")
        }
    }

    @Test func ofTwoNodesTheOtherOwnsEverythingWithinFiveSeconds() throws {
        for seed in Self.seeds {
            for victim in [node(1), node(2)] {
                var world = try settledWorld(nodes: 2, seed: seed)
                world.kill(victim, seed.isMultiple(of: 2) ? .process : .host)
                let moved = world.run(atMost: .seconds(5), every: step) { !owns(victim, in: $0) && $0.isSharedOut }
                try #require(moved, "seed \(seed)")
                try #require(world.slotCounts.sessionsEnded == 0, "seed \(seed)")
            }
        }
    }

    @Test func whoJoinsGetsItsShareByHandOversAlone() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 2, seed: seed)
            let before = world.slotCounts
            world.start(node(9))
            let shared = world.run(atMost: .seconds(30), every: step) { owns(node(9), in: $0) && $0.isSharedOut }
            try #require(shared, "seed \(seed)")
            try #require(world.slotCounts.givenUp == before.givenUp && world.slotCounts.resumed == 0, "seed \(seed)")
            try #require(world.slotCounts.handedOver - before.handedOver > 200, "seed \(seed)")
        }
    }

    @Test func whoIsDrainedKeepsNothingAndLosesNothing() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 3, seed: seed)
            let before = world.slotCounts
            world.drain(node(2))
            let drained = world.run(atMost: .seconds(30), every: step) {
                $0.slotCounts.drained == 1 && !owns(node(2), in: $0) && $0.isSharedOut
            }
            try #require(drained, "seed \(seed)")
            try #require(world.slotCounts.givenUp == before.givenUp, "seed \(seed)")
            world.leave(node(2))
            world.run(for: .seconds(2))
            world.start(node(2))
            let back = world.run(atMost: .seconds(30), every: step) { owns(node(2), in: $0) && $0.isSharedOut }
            try #require(back, "seed \(seed)")
        }
    }

    @Test func aNodeWithoutPostgresLosesItsSlotsToThoseWhoHaveIt() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 3, seed: seed)
            world.cutFromDatabase(node(2))
            let moved = world.run(atMost: .seconds(5), every: step) { !owns(node(2), in: $0) }
            try #require(moved, "seed \(seed)")
            try #require(world.keeper(of: node(2))?.isReady == false, "seed \(seed)")
            world.cutFromDatabase(node(2), false)
            let back = world.run(atMost: .seconds(30), every: step) { owns(node(2), in: $0) && $0.isSharedOut }
            try #require(back, "seed \(seed)")
        }
    }

    /// It lives, as the third node says, and its word that its slots may be taken does not reach the first.
    @Test func aNodeWithoutPostgresLosesItsSlotsToOneThatItHasNoLinkToAsWell() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 3, seed: seed)
            world.cutFromDatabase(node(3))
            world.network.cut(between: [node(1)], and: [node(3)])
            let moved = world.run(atMost: .seconds(6), every: step) { !owns(node(3), in: $0) }
            try #require(moved, "seed \(seed)")
            try #require(world.keeper(of: node(3))?.isReady == false, "seed \(seed)")
            try #require(world.keeper(of: node(1))?.isReady == true, "seed \(seed)")
            world.network.heal()
            world.cutFromDatabase(node(3), false)
            let back = world.run(atMost: .seconds(40), every: step) { owns(node(3), in: $0) && $0.isSharedOut }
            try #require(back, "seed \(seed)")
        }
    }

    /// Its transactions stand in Postgres, with the leases of the slots that it was giving away locked.
    @Test func aNodeThatIsCutOffInTheMiddleOfItsHandOversKeepsNothing() throws {
        for seed in Self.seeds {
            let settled = try settledWorld(nodes: 3, seed: seed)
            for offset in 0..<16 as Range<Int64> {
                var world = settled
                world.drain(node(2))
                world.run(for: .milliseconds(20 + 7 * offset))
                world.cutFromDatabase(node(2))
                try #require(owns(node(2), in: world), "seed \(seed), offset \(offset)")
                let moved = world.run(atMost: .seconds(7), every: step) { !owns(node(2), in: $0) }
                try #require(moved, "seed \(seed), offset \(offset)")
                world.cutFromDatabase(node(2), false)
                world.drain(node(2), false)
                let back = world.run(atMost: .seconds(30), every: step) { owns(node(2), in: $0) && $0.isSharedOut }
                try #require(back, "seed \(seed), offset \(offset)")
            }
        }
    }

    /// What Postgres has done nobody may have heard of.
    @Test func slotsAreSharedOutThoughAnswersGetLost() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 3, seed: seed)
            world.answerLoss = 0.3
            world.start(node(9))
            world.kill(node(2), .process)
            world.run(for: .seconds(20))
            world.answerLoss = 0
            world.start(node(2))
            let shared = world.run(atMost: .seconds(30), every: step) { owns(node(9), in: $0) && $0.isSharedOut }
            try #require(shared, "seed \(seed)")
        }
    }

    @Test func whilePostgresIsAwayForAllNothingMoves() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 3, seed: seed)
            let (before, leases) = (world.slotCounts, world.database.leases)
            world.stopDatabase()
            world.run(for: .seconds(10))
            world.startDatabase()
            world.run(for: .seconds(10))
            try #require(world.slotCounts == before, "seed \(seed): \(before) became \(world.slotCounts)")
            try #require(world.database.leases == leases, "seed \(seed)")
            try #require(world.running.allSatisfy { world.keeper(of: $0)?.isReady == true }, "seed \(seed)")
        }
    }

    @Test func theMajorityGoesOnWithinFiveSecondsAndTheMinoritySendsItsClientsAway() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 3, seed: seed)
            world.network.cut(between: [node(3)], and: [node(1), node(2)])
            // The minority reaches Postgres in every second world.
            if seed.isMultiple(of: 2) { world.cutFromDatabase(node(3)) }
            let moved = world.run(atMost: .seconds(5), every: step) { !owns(node(3), in: $0) }
            try #require(moved, "seed \(seed)")
            // A node that doubts itself holds others dead later, the last one after up to eight seconds, and is in the minority
            // four seconds after that.
            world.run(for: .seconds(15))
            try #require(world.keeper(of: node(3))?.isReady == false, "seed \(seed)")
            try #require(world.keeper(of: node(1))?.isReady == true, "seed \(seed)")
            try #require(world.slotCounts.sessionsEnded > 0, "seed \(seed)")
            try #require(!owns(node(3), in: world), "seed \(seed): the minority took slots back")
            world.network.heal()
            world.cutFromDatabase(node(3), false)
            let shared = world.run(atMost: .seconds(40), every: step) { owns(node(3), in: $0) && $0.isSharedOut }
            try #require(shared, "seed \(seed)")
        }
    }

    /// Neither half can outvote the other, whose heartbeats are young: what it owned waits for the network.
    @Test func ofTwoEqualHalvesTheOneWithTheLowestNumberGoesOn() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 4, seed: seed)
            func slotsOfTheFirst(in world: ClusterWorld) -> Set<Slot> {
                Set(world.database.leases.values.filter { [node(1), node(4)].contains($0.node) }.map(\.slot))
            }
            let slots = slotsOfTheFirst(in: world)
            world.network.cut(between: [node(1), node(4)], and: [node(2), node(3)])
            world.run(for: .seconds(20))
            for number in [1, 4] as [UInt16] {
                try #require(world.keeper(of: node(number))?.isReady == true, "seed \(seed): \(number)")
            }
            for number in [2, 3] as [UInt16] {
                try #require(world.keeper(of: node(number))?.isReady == false, "seed \(seed): \(number)")
            }
            try #require(world.slotCounts.sessionsEnded == 2, "seed \(seed)")
            // Within a half they may move, while one of its nodes still is ready.
            let isSame = slotsOfTheFirst(in: world) == slots
            try #require(isSame && !slots.isEmpty, "seed \(seed)")
            // Its operator stops it: the other half has everything.
            world.kill(node(2), .host)
            world.kill(node(3), .host)
            let moved = world.run(atMost: .seconds(10), every: step) {
                !owns(node(2), in: $0) && !owns(node(3), in: $0) && $0.isSharedOut
            }
            try #require(moved, "seed \(seed)")
        }
    }

    @Test func theSmallerSideOwnsEverythingWhenItAloneReachesPostgres() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 3, seed: seed)
            world.network.cut(between: [node(3)], and: [node(1), node(2)])
            for number in [1, 2] as [UInt16] { world.cutFromDatabase(node(number)) }
            let moved = world.run(atMost: .seconds(10), every: step) {
                !owns(node(1), in: $0) && !owns(node(2), in: $0)
            }
            try #require(moved, "seed \(seed)")
            try #require(world.keeper(of: node(3))?.isReady == true, "seed \(seed)")
            try #require([1, 2].allSatisfy { world.keeper(of: node($0))?.isReady == false }, "seed \(seed)")
            world.network.heal()
            for number in [1, 2] as [UInt16] { world.cutFromDatabase(node(number), false) }
            let shared = world.run(atMost: .seconds(40), every: step) { owns(node(1), in: $0) && $0.isSharedOut }
            try #require(shared, "seed \(seed)")
        }
    }

    @Test func ofAPairWithoutALinkOneGivesWay() throws {
        for seed in Self.seeds {
            var world = try settledWorld(nodes: 4, seed: seed)
            world.network.cut(between: [node(2)], and: [node(4)])
            let gaveWay = world.run(atMost: .seconds(40), every: step) {
                $0.keeper(of: node(4))?.isReady == false && !owns(node(4), in: $0)
            }
            try #require(gaveWay, "seed \(seed)")
            try #require([1, 2, 3].allSatisfy { world.keeper(of: node($0))?.isReady == true }, "seed \(seed)")
            world.network.heal()
            let shared = world.run(atMost: .seconds(40), every: step) { owns(node(4), in: $0) && $0.isSharedOut }
            try #require(shared, "seed \(seed)")
        }
    }

    @Test func whateverHappensTheSlotsAreSharedOutAfterwards() throws {
        for seed in FuzzBudget.seeds(10, full: 1_000) {
            var faults = SplitMix64(seed: seed &* 104_729)
            let count = UInt16.random(in: 2...5, using: &faults)
            var world = ClusterWorld(nodes: Int(count), seed: seed, ownsSlots: true)
            var epochs: [Slot: Epoch] = [:]
            for _ in 0..<10 {
                world.run(for: .milliseconds(Int64.random(in: 0...3_000, using: &faults)))
                // An epoch never goes back.
                for (slot, lease) in world.database.leases {
                    try #require(lease.epoch >= epochs[slot] ?? 0, "seed \(seed)")
                    epochs[slot] = lease.epoch
                }
                let one = node(.random(in: 1...count, using: &faults))
                switch Int.random(in: 0...9, using: &faults) {
                case 0: world.kill(one, .process)
                case 1: world.kill(one, .host)
                case 2: world.start(one)
                case 3: world.pause(one, for: .milliseconds(Int64.random(in: 10...6_000, using: &faults)))
                case 4: world.network.cut(from: one, to: node(.random(in: 1...count, using: &faults)))
                case 5: world.network.cut(between: [one], and: world.nodeIDs)
                case 6: world.cutFromDatabase(one)
                case 7: world.stopDatabase()
                case 8: world.drain(one, Bool.random(using: &faults))
                default: world.network.loss = .random(in: 0...0.2, using: &faults)
                }
            }
            world.network.heal()
            world.network.loss = 0
            world.startDatabase()
            for node in world.nodeIDs {
                world.cutFromDatabase(node, false)
                world.start(node)
                world.drain(node, false)
            }
            let shared = world.run(atMost: .seconds(120), every: step) { $0.isSharedOut }
            try #require(shared, "seed \(seed)")
        }
    }
}
