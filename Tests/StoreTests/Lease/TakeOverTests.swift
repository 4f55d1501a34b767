import Dispatch
import FluxCore
import FluxStore
import FluxTestSupport
import Testing

@Suite struct TakeOverTests {
    @Test func aFreeSlotIsTakenOnce() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 2)
            let taken = try await cluster.leases.takeOver(slots(0...9), for: cluster.nodes[0])
            #expect(taken.count == 10)
            #expect(taken.values.allSatisfy { $0 == .init(epoch: 1, reason: .free) })
            #expect(try await cluster.leases.takeOver(slots(0...9), for: cluster.nodes[1]).isEmpty)
            // What it has already it does not take again.
            #expect(try await cluster.leases.takeOver(slots(0...9), for: cluster.nodes[0]).isEmpty)
        }
    }

    @Test func anOwnerThatStartedAgainOrLeftHasLostItsSlots() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 3)
            _ = try await cluster.leases.takeOver(slots(0...3), for: cluster.nodes[0])
            _ = try await cluster.leases.takeOver(slots(4...7), for: cluster.nodes[1])
            let again = try await cluster.leases.register(node: 1, name: "node-1", lanes: 2, at: .now()).identity
            try await cluster.leases.setState(.left, ofNode: 2)
            let taken = try await cluster.leases.takeOver(slots(0...7), for: again)
            #expect(taken.count == 8)
            #expect(taken.values.allSatisfy { $0 == .init(epoch: 2, reason: .over) })
            // Who has left and starts again takes part again.
            _ = try await cluster.leases.register(node: 2, name: "node-2", lanes: 2, at: .now())
            #expect(try await cluster.leases.nodes().map(\.state) == [.active, .active, .active])
            await #expect(throws: StoreError.fenced) {
                try await cluster.leases.takeOver(slots(0...7), for: cluster.nodes[0])
            }
        }
    }

    @Test func theVotesOfTheMajorityTakeAndFenceALivingOwner() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 3)
            let (owner, first, second) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
            _ = try await cluster.leases.takeOver(slots(0...3), for: owner)
            let generation = try await cluster.generation(of: owner, slots(0...0)[0])
            try await cluster.leases.condemn(owner, by: first)
            // One of three is no majority.
            #expect(try await cluster.leases.takeOver(slots(0...3), for: first).isEmpty)
            try await cluster.leases.condemn(owner, by: second)
            let taken = try await cluster.leases.takeOver(slots(0...1), for: second)
            #expect(taken.values.allSatisfy { $0 == .init(epoch: 2, reason: .voted) })
            #expect(taken.count == 2)
            #expect(try await cluster.generation(of: owner, slots(0...0)[0]) == generation + 1)
            // A verdict that was withdrawn does not count.
            try await cluster.leases.acquit(node: 1, by: first)
            #expect(try await cluster.leases.takeOver(slots(2...3), for: second).isEmpty)
        }
    }

    @Test func aVerdictAboutAnEarlierIncarnationDoesNotHarmTheLater() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 3)
            let owner = try await cluster.leases.register(node: 1, name: "node-1", lanes: 2, at: .now()).identity
            _ = try await cluster.leases.takeOver(slots(0...3), for: owner)
            for voter in cluster.nodes.dropFirst() { try await cluster.leases.condemn(cluster.nodes[0], by: voter) }
            #expect(try await cluster.leases.takeOver(slots(0...3), for: cluster.nodes[1]).isEmpty)
        }
    }

    @Test func votesOfTheDeadDoNotCount() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 5)
            let (owner, taker) = (cluster.nodes[0], cluster.nodes[4])
            _ = try await cluster.leases.takeOver(slots(0...3), for: owner)
            for voter in cluster.nodes[1...3] { try await cluster.leases.condemn(owner, by: voter) }
            // Three of five would be a majority, but one of them is dead, though so shortly that it may live still.
            try await cluster.silence(cluster.nodes[1])
            #expect(try await cluster.leases.takeOver(slots(0...3), for: taker).isEmpty)
            try await cluster.leases.condemn(owner, by: taker)
            #expect(try await cluster.leases.takeOver(slots(0...3), for: taker).count == 4)
        }
    }

    @Test func aVoterThatWasAwayHasToVoteAgain() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 3)
            let (owner, first, second) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
            _ = try await cluster.leases.takeOver(slots(0...3), for: owner)
            for voter in [first, second] { try await cluster.leases.condemn(owner, by: voter) }
            try await cluster.silence(first)
            _ = try await cluster.leases.heartbeat(first, highWaterMilliseconds: 0)
            #expect(try await cluster.leases.takeOver(slots(0...3), for: second).isEmpty)
            try await cluster.leases.condemn(owner, by: first)
            #expect(try await cluster.leases.takeOver(slots(0...3), for: second).count == 4)
        }
    }

    @Test func theOwnersOwnVoteAndARemovedNodesDoNotCount() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 4)
            let (owner, taker) = (cluster.nodes[0], cluster.nodes[1])
            _ = try await cluster.leases.takeOver(slots(0...3), for: owner)
            for voter in [owner, taker, cluster.nodes[2]] { try await cluster.leases.condemn(owner, by: voter) }
            // Two of four.
            #expect(try await cluster.leases.takeOver(slots(0...3), for: taker).isEmpty)
            try await cluster.leases.setState(.removed, ofNode: 4)
            #expect(try await cluster.leases.takeOver(slots(0...3), for: taker).count == 4)
            await #expect(throws: StoreError.fenced) {
                try await cluster.leases.condemn(owner, by: cluster.nodes[3])
            }
            await #expect(throws: StoreError.fenced) {
                try await cluster.leases.heartbeat(cluster.nodes[3], highWaterMilliseconds: 0)
            }
            await #expect(throws: StoreError.fenced) {
                try await cluster.leases.register(node: 4, name: "node-4", lanes: 2, at: .now())
            }
        }
    }

    @Test func anOwnerWhoseHeartbeatsHaveStoppedLosesItsSlots() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 2)
            let (owner, taker) = (cluster.nodes[0], cluster.nodes[1])
            _ = try await cluster.leases.takeOver(slots(0...3), for: owner)
            try await cluster.makeSteady(taker)
            #expect(try await cluster.leases.takeOver(slots(0...3), for: taker).isEmpty)
            try await cluster.silence(owner)
            let taken = try await cluster.impatient.takeOver(slots(0...3), for: taker)
            #expect(taken.values.allSatisfy { $0 == .init(epoch: 2, reason: .expired) })
            #expect(taken.count == 4)
        }
    }

    @Test func aTakerThatWasAwayItselfHasToWait() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 2)
            let (owner, taker) = (cluster.nodes[0], cluster.nodes[1])
            _ = try await cluster.leases.takeOver(slots(0...3), for: owner)
            // So that it is not Postgres's start that protects the owner.
            while try await cluster.uptime() < 8 { try await Task.sleep(for: .milliseconds(100)) }
            let store = LeaseStore(database, patience: LeasePatience(expiry: .seconds(5), longestGap: .seconds(600)))
            try await cluster.silence(owner)
            try await cluster.makeSteady(taker)
            try await cluster.silence(taker)
            // Its heartbeat, the first one after two hours, says that it was away itself.
            #expect(try await store.takeOver(slots(0...3), for: taker).isEmpty)
            #expect(try await cluster.owner(of: slots(0...0)[0]) == owner)
            try await cluster.makeSteady(taker)
            #expect(try await store.takeOver(slots(0...3), for: taker).count == 4)
        }
    }

    @Test func afterPostgresHasStartedEverybodyGetsItsTime() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 3)
            let (owner, taker) = (cluster.nodes[0], cluster.nodes[1])
            _ = try await cluster.leases.takeOver(slots(0...3), for: owner)
            try await cluster.silence(owner)
            try await cluster.silence(cluster.nodes[2])
            try await cluster.makeSteady(taker)
            // The server of the tests has run for less than an hour: the silence of two hours may have been its own. And a
            // single voter is no majority of those that may be about to come back.
            try await cluster.leases.condemn(owner, by: taker)
            #expect(try await cluster.leases.takeOver(slots(0...3), for: taker).isEmpty)
            // It has run for more than 20 ms.
            #expect(try await cluster.impatient.takeOver(slots(0...3), for: taker).count == 4)
        }
    }

    @Test func consentHoldsForItsEpochAlone() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 2)
            let (owner, taker) = (cluster.nodes[0], cluster.nodes[1])
            let held = try await cluster.leases.takeOver(slots(0...1), for: owner).mapValues(\.epoch)
            let stale = held.mapValues { $0 - 1 }
            #expect(try await cluster.leases.takeOver(slots(0...1), for: taker, consented: stale).isEmpty)
            let taken = try await cluster.leases.takeOver(slots(0...1), for: taker, consented: held)
            #expect(taken.values.allSatisfy { $0 == .init(epoch: 2, reason: .consented) })
            #expect(taken.count == 2)
            // What it has already a node does not take again.
            let own = taken.mapValues(\.epoch)
            #expect(try await cluster.leases.takeOver(slots(0...1), for: taker, consented: own).isEmpty)
        }
    }

    @Test func ofManyTakersEachSlotGetsOne() async throws {
        let database = try await TestPostgres.shared.database().open(connections: 8)
        let cluster = try await LeaseCluster(database, nodes: 8)
        let everything = slots(0...255)
        var epochs: [Slot: Epoch] = [:]
        for round in 0..<4 {
            let takers = cluster.nodes.dropFirst()
            if round > 0 {
                // All slots belong to the dead node 1 again.
                _ = try await cluster.leases.acquire(everything, for: cluster.nodes[0])
                for voter in takers { try await cluster.leases.condemn(cluster.nodes[0], by: voter) }
                epochs = epochs.mapValues { $0 + 1 }
            }
            let wins = try await withThrowingTaskGroup(of: [Slot: LeaseStore.Taken].self) { group in
                for taker in takers {
                    group.addTask {
                        try await cluster.leases.takeOver(everything.shuffled(), for: taker)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            var seen: [Slot: Epoch] = [:]
            for win in wins {
                for (slot, taken) in win {
                    #expect(seen.updateValue(taken.epoch, forKey: slot) == nil, "two takers got slot \(slot)")
                    #expect(taken.epoch == (epochs[slot] ?? 0) + 1)
                }
            }
            #expect(seen.count == everything.count)
            epochs = seen
        }
        await database.close()
    }

    /// A node that was cut off in the middle of a transaction: its connection stands, and nothing is heard from it until
    /// `body` is over. - Returns: what the transaction came to.
    private func withStalledTransaction(
        of node: NodeIdentity, lockingLeases locked: [Slot], in test: TestDatabase,
        _ body: () async throws -> Void
    ) async throws -> StoreError? {
        let database = try Database(
            configuration: test.configuration("flux/\(node.node)/\(node.incarnation)/pool", connections: 1),
            logger: TestDatabase.silence)
        let (stall, hasStalled) = (DispatchSemaphore(value: 0), AsyncStream<Void>.makeStream())
        let ended = Task {
            await storeError {
                try await database.transaction { transaction throws(StoreError) in
                    let numbers = SQLValue.intArray(locked.map { Int64($0.rawValue) })
                    try transaction.run(Statement(Self.lock, [numbers]))
                    hasStalled.continuation.yield()
                    stall.wait()
                    try transaction.run(Statement(Self.lock, [numbers]))
                }
            }
        }
        for await _ in hasStalled.stream { break }
        do {
            try await body()
        } catch {
            stall.signal()
            throw error
        }
        stall.signal()
        let error = await ended.value
        await database.close()
        return error
    }

    private static let lock = PreparedQuery(
        "test.lock", "SELECT slot FROM leases WHERE slot = ANY ($1) FOR UPDATE", [.int2Array], repeatable: false)

    /// Slots 0 to 7 are of the first of three nodes, which the others hold dead, while a transaction of one of the three
    /// stands still.
    private func whileTransactionStalls(
        of number: Int, lockingLeases locked: [Slot],
        _ body: (_ cluster: LeaseCluster, _ taker: NodeIdentity) async throws -> Void
    ) async throws -> StoreError? {
        let test = try await TestPostgres.shared.database()
        let database = try test.open(connections: 3)
        let cluster = try await LeaseCluster(database, nodes: 3)
        _ = try await cluster.leases.takeOver(slots(0...7), for: cluster.nodes[0])
        for voter in cluster.nodes.dropFirst() { try await cluster.leases.condemn(cluster.nodes[0], by: voter) }
        let error = try await withStalledTransaction(of: cluster.nodes[number], lockingLeases: locked, in: test) {
            try await body(cluster, cluster.nodes[1])
        }
        await database.close()
        return error
    }

    @Test func aTransactionThatStandsStillKeepsNoOtherSlots() async throws {
        // Of somebody of whom nothing is asked, so that nobody ends it.
        let error = try await whileTransactionStalls(of: 2, lockingLeases: slots(0...3)) { cluster, taker in
            let taken = try await cluster.leases.takeOver(slots(0...7), for: taker)
            #expect(taken.keys.sorted() == slots(4...7))
        }
        #expect(error == nil)
    }

    @Test func theTransactionInWhichAnOwnerStandsStillIsEnded() async throws {
        let error = try await whileTransactionStalls(of: 0, lockingLeases: slots(0...7)) { cluster, taker in
            var taken: Set<Slot> = []
            while taken.count < 8 { taken.formUnion(try await cluster.leases.takeOver(slots(0...7), for: taker).keys) }
        }
        guard case .unavailable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func aReleaseGoesToTheNamedSuccessorAndFencesTheOwner() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 3)
            let (owner, successor) = (cluster.nodes[0], cluster.nodes[1])
            let held = try await cluster.leases.takeOver(slots(0...3), for: owner).mapValues(\.epoch)
            let generation = try await cluster.generation(of: owner, slots(0...0)[0])
            let even = held.filter { $0.key.rawValue.isMultiple(of: 2) }
            let given = try await cluster.leases.release(even, of: owner, to: successor)
            #expect(given == even.mapValues { $0 + 1 })
            #expect(try await cluster.generation(of: owner, slots(0...0)[0]) == generation + 1)
            #expect(try await cluster.leases.owned(by: successor) == given)
            // What it has not (any more) it cannot give.
            #expect(try await cluster.leases.release(even, of: owner, to: successor).isEmpty)
            let stale = held.mapValues { $0 + 5 }
            #expect(try await cluster.leases.release(stale, of: owner, to: successor).isEmpty)
        }
    }

    @Test func nothingIsReleasedToWhoCannotFollow() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 4)
            let owner = cluster.nodes[0]
            let held = try await cluster.leases.takeOver(slots(0...3), for: owner).mapValues(\.epoch)
            try await cluster.silence(cluster.nodes[1])
            try await cluster.leases.setState(.draining, ofNode: 3)
            let over = NodeIdentity(node: 4, incarnation: 7)
            for successor in [cluster.nodes[1], cluster.nodes[2], over] {
                #expect(try await cluster.leases.release(held, of: owner, to: successor).isEmpty)
            }
            #expect(try await cluster.leases.owned(by: owner) == held)
        }
    }

    @Test func releasesAndTakeOversAtOnceNeverGiveASlotToTwo() async throws {
        let database = try await TestPostgres.shared.database().open(connections: 8)
        let cluster = try await LeaseCluster(database, nodes: 4)
        let owner = cluster.nodes[0]
        let held = try await cluster.leases.takeOver(slots(0...63), for: owner).mapValues(\.epoch)
        for voter in cluster.nodes.dropFirst() { try await cluster.leases.condemn(owner, by: voter) }
        let (released, taken) = try await withThrowingTaskGroup(of: (Bool, [Slot: Epoch]).self) { group in
            for (slot, epoch) in held {
                group.addTask {
                    (true, try await cluster.leases.release([slot: epoch], of: owner, to: cluster.nodes[1]))
                }
            }
            for taker in cluster.nodes[2...3] {
                group.addTask {
                    (false, try await cluster.leases.takeOver(slots(0...63), for: taker).mapValues(\.epoch))
                }
            }
            var (released, taken): ([Slot], [Slot]) = ([], [])
            for try await (isRelease, epochs) in group {
                #expect(epochs.values.allSatisfy { $0 == 2 })
                if isRelease { released += epochs.keys } else { taken += epochs.keys }
            }
            return (released, taken)
        }
        #expect(Set(released).isDisjoint(with: taken))
        #expect(released.count + taken.count == 64)
        await database.close()
    }

    @Test func membersAreReadAsTheyWereDescribed() async throws {
        try await withDatabase { database in
            let cluster = try await LeaseCluster(database, nodes: 3)
            try await cluster.leases.describe(cluster.nodes[1], address: "10.0.0.2:7400", weight: 2)
            try await cluster.leases.setState(.draining, ofNode: 3)
            try await cluster.silence(cluster.nodes[2])
            let rows = try await cluster.leases.nodes()
            #expect(
                rows == [
                    NodeRow(
                        identity: cluster.nodes[0], name: "node-1", address: "", weight: 1, state: .active, isLive: true
                    ),
                    NodeRow(
                        identity: cluster.nodes[1], name: "node-2", address: "10.0.0.2:7400", weight: 2, state: .active,
                        isLive: true),
                    NodeRow(
                        identity: cluster.nodes[2], name: "node-3", address: "", weight: 1, state: .draining,
                        isLive: false),
                ])
            #expect(try await cluster.leases.setState(.active, ofNode: 9) == false)
            await #expect(throws: StoreError.fenced) {
                try await cluster.leases.describe(
                    NodeIdentity(node: 2, incarnation: 9), address: "", weight: 1)
            }
        }
    }
}
