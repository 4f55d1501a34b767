import FluxCluster
import FluxCore
import FluxFuzzing
import NIOConcurrencyHelpers
import Testing

@testable import FluxRealtime

/// Sessions that are taken up again on other nodes than the one that holds them, while messages arrive at full speed: nothing lost,
/// doubled or out of order (I6), nothing shown that was taken (I7).
@Suite(.serialized, .timeLimit(.minutes(3))) struct SessionMoveTests {
    /// A guild and a conversation of two.
    private struct Stage {
        let owner: Caller
        let member: Caller
        let guild: (id: GuildID, channel: ChannelID)
        let direct: ChannelID
        var places: [ChannelID] { [guild.channel, direct] }

        init(_ cluster: TestCluster) async throws {
            let node = cluster.nodes[0]
            owner = try await node.person("owner\(try node.realtime.mintID())")
            member = try await node.person("member\(try node.realtime.mintID())")
            guild = try await node.guild(of: owner)
            try await node.join(member, guild, by: owner)
            direct = try await node.direct(owner, with: member)
        }
    }

    @Test func aSessionGoesFromNodeToNodeUnderLoad() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let stage = try await Stage(cluster)
            let witness = try await cluster.nodes[2].connect(stage.owner)
            var journey = Journey(try await cluster.nodes[0].connect(stage.member))
            await witness.until { [member = stage.member] dispatches, _, _ in
                dispatches.contains { $0.kind == .presenceUpdate && isStatus("online", of: member, $0) }
            }
            try await Traffic.run(by: stage.owner, in: stage.places, on: cluster.nodes[1]) { traffic in
                for move in 1...15 {
                    try await traffic.flow(move % 4 * 15)
                    // Now and then the old connection still looks alive.
                    if !move.isMultiple(of: 3) { await journey.client.drop() }
                    journey.rest()
                    if move.isMultiple(of: 4) { try await traffic.flow(30) }
                    let former = journey.client
                    try await journey.resume(on: cluster.nodes[move % 3], loop: move / 3 % 2)
                    await journey.untilResumed()
                    if move.isMultiple(of: 3) { #expect(former.closed == .unknownError) }
                }
            }
            for place in stage.places {
                try await cluster.nodes[2].say("end of \(place)", in: place, as: stage.owner)
                await journey.until("end of \(place)")
            }
            journey.rest()
            #expect(journey.audit.breaches == [])
            #expect(journey.audit.kinds[.resumed] == 15)
            let ends = try await cluster.heads(of: stage.places)
            for place in stage.places { #expect(journey.audit.lastSeq(of: place) == ends[place]) }
            // Nobody has seen anything of it.
            #expect(!witness.dispatches.contains { isStatus("offline", of: stage.member, $0) })
            // The member's is on the first node now and nowhere else, the witness's where it was.
            var counts: [Int] = []
            for node in cluster.nodes { counts.append(await node.realtime.census().sessions) }
            #expect(counts == [1, 0, 1])
        }
    }

    @Test func whoMayNotHaveASessionIsRefusedAndItStaysWhereItWas() async throws {
        var limits = SessionLimits()
        limits.replayEvents = 8
        try await TestCluster.run(nodes: 3, limits: limits) { cluster in
            let stage = try await Stage(cluster)
            var journey = Journey(try await cluster.nodes[0].connect(stage.member))
            journey.rest()
            for other in [cluster.nodes[1], cluster.nodes[2]] {
                let stranger = TestClient(node: other, caller: stage.owner, loop: 0)
                await #expect(throws: SessionRefusal.invalidSession(resumable: false)) {
                    try await stranger.resume(journey.identifier, after: 1)
                }
                let late = TestClient(node: other, caller: stage.member, loop: 1)
                await #expect(throws: SessionRefusal.invalidSession(resumable: false)) {
                    try await late.resume(journey.identifier, after: 99)
                }
                for node in [1, 2, 3, 77] {
                    let unknown = SessionKey(nodeID: UInt16(node), random: 5).description
                    await #expect(throws: SessionRefusal.invalidSession(resumable: false)) {
                        try await TestClient(node: other, caller: stage.member, loop: 0).resume(unknown, after: 1)
                    }
                }
            }
            #expect(journey.client.closed == nil)
            await journey.client.drop()
            for number in 1...9 {
                try await cluster.nodes[1].say("m\(number)", in: stage.guild.channel, as: stage.owner)
            }
            // The ring does not reach back to READY any more.
            await #expect(throws: SessionRefusal.invalidSession(resumable: false)) {
                try await TestClient(node: cluster.nodes[1], caller: stage.member, loop: 0)
                    .resume(journey.identifier, after: 1)
            }
        }
    }

    /// The node that the id names is gone, but the session has left it.
    @Test func aSessionIsFoundWithoutTheNodeThatItsIdNames() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            var stage = try await Stage(cluster)
            while true {
                let streams: [Snowflake] = [stage.guild.id, stage.direct, stage.member.userID, stage.owner.userID]
                if try streams.allSatisfy({ try cluster.owner(of: Slot(of: $0)) != 0 }) { break }
                stage = try await Stage(cluster)
            }
            var journey = Journey(try await cluster.nodes[0].connect(stage.member))
            journey.rest()
            try await journey.resume(on: cluster.nodes[1])
            await journey.untilResumed()
            journey.rest()
            for other in 1...2 { cluster.network.cut(cluster.nodes[0].id, cluster.nodes[other].id) }
            try await cluster.nodes[2].say("one", in: stage.guild.channel, as: stage.owner)
            await journey.client.drop()
            journey.rest()
            try await journey.resume(on: cluster.nodes[2], loop: 1)
            try await cluster.nodes[1].say("two", in: stage.guild.channel, as: stage.owner)
            await journey.until("two")
            journey.rest()
            #expect(journey.audit.breaches == [])
            #expect(journey.audit.contents[stage.guild.channel] == ["one", "two"])
        }
    }

    /// Wherever in a move the link between the two nodes breaks, the client gets its session at last, and nothing twice.
    @Test func aLinkThatBreaksInTheMiddleCostsNothing() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let stage = try await Stage(cluster)
            var journey = Journey(try await cluster.nodes[0].connect(stage.member))
            var refusals = 0
            try await Traffic.run(
                by: stage.owner, in: stage.places, on: cluster.nodes[2], tolerates: { $0.status >= 500 }
            ) { traffic in
                var random = SeededGenerator(seed: 11)
                for move in 1...40 {
                    journey.rest()
                    let (former, next) = (cluster.nodes[(move - 1) % 2], cluster.nodes[move % 2])
                    let (identifier, last) = (journey.identifier, journey.last)
                    let delay = Int.random(in: 0...3_000, using: &random)
                    async let broken: Void = {
                        try await Task.sleep(for: .microseconds(delay))
                        cluster.network.cut(former.id, next.id)
                        try await Task.sleep(for: .milliseconds(3))
                        cluster.network.heal(former.id, next.id)
                    }()
                    let client = TestClient(node: next, caller: stage.member, loop: move % 2)
                    do {
                        try await client.resume(identifier, after: last)
                        journey.client = client
                        try await broken
                    } catch SessionRefusal.invalidSession(resumable: true) {
                        refusals += 1
                        try await broken
                        try await journey.resume(on: next, loop: move % 2)
                    }
                    await journey.untilResumed()
                    try await traffic.flow(5)
                }
            }
            for place in stage.places {
                try await cluster.nodes[2].say("end of \(place)", in: place, as: stage.owner)
                await journey.until("end of \(place)")
            }
            journey.rest()
            #expect(journey.audit.breaches == [])
            #expect(journey.audit.kinds[.resumed] ?? 0 >= 40)
            #expect(refusals > 0, "no link was cut in the middle")
            let ends = try await cluster.heads(of: stage.places)
            for place in stage.places { #expect(journey.audit.lastSeq(of: place) == ends[place]) }
        }
    }

    /// A session on the first node that waits for its client and has seen "one" in its user's stream, whose owner, the third node, does
    /// not reach the second one any more.
    private static func sessionAhead(in cluster: TestCluster) async throws -> (Stage, Journey) {
        var stage = try await Stage(cluster)
        while try cluster.owner(of: Slot(of: stage.member.userID)) != 2
            || cluster.owner(of: Slot(of: stage.guild.id)) == 2 || cluster.owner(of: Slot(of: stage.direct)) == 2
        {
            stage = try await Stage(cluster)
        }
        // So that the second node follows the member's streams already.
        _ = try await cluster.nodes[1].connect(stage.member)
        var journey = Journey(try await cluster.nodes[0].connect(stage.member))
        cluster.network.drop(from: cluster.nodes[2].id, to: cluster.nodes[1].id)
        try await cluster.nodes[0].say("one", in: stage.direct, as: stage.owner)
        await journey.until("one")
        journey.rest()
        await journey.client.drop()
        return (stage, journey)
    }

    /// It has seen where it was what has not come to the node where its client is. If the user changes owners then, it could not go
    /// on there: the former holder keeps it.
    @Test func aSessionAheadOfItsNewNodeIsNotLetGo() async throws {
        var limits = SessionLimits()
        // The owner is gone before that, however slow the machine is.
        limits.settlingMilliseconds = 60_000
        try await TestCluster.run(nodes: 3, limits: limits) { cluster in
            let (stage, ahead) = try await Self.sessionAhead(in: cluster)
            var journey = ahead
            let (holder, taker) = (cluster.nodes[0], cluster.nodes[1])
            let early = TestClient(node: taker, caller: stage.member, loop: 1)
            let (identifier, last) = (journey.identifier, journey.last)
            async let isRefused = isToldToTryAgain { try await early.resume(identifier, after: last) }
            let key = try #require(SessionKey(identifier))
            try await eventually("the session is here, and not settled") {
                taker.realtime.services.sessions.loop(of: key) != nil
            }
            try await cluster.takeOver(from: 2, by: 0)
            #expect(try await isRefused)
            try await journey.resume(on: taker, loop: 1)
            try await holder.say("two", in: stage.direct, as: stage.owner)
            await journey.until("two")
            journey.rest()
            #expect(journey.audit.breaches == [])
            #expect(journey.audit.contents[stage.direct] == ["one", "two"])
        }
    }

    /// Who waits for what does not come goes on after a time all the same.
    @Test func aSessionDoesNotWaitForEverForItsNewNodesStreams() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let (stage, ahead) = try await Self.sessionAhead(in: cluster)
            var journey = ahead
            // Not even told to try again.
            let client = TestClient(node: cluster.nodes[1], caller: stage.member, loop: 1)
            try await client.resume(journey.identifier, after: journey.last)
            journey.client = client
            await journey.untilResumed()
            cluster.network.heal(cluster.nodes[1].id, cluster.nodes[2].id)
            try await cluster.nodes[0].say("two", in: stage.direct, as: stage.owner)
            await journey.until("two")
            journey.rest()
            #expect(journey.audit.breaches == [])
            #expect(journey.audit.contents[stage.direct] == ["one", "two"])
        }
    }

    @Test func aKickIsKeptByASessionThatMoves() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let stage = try await Stage(cluster)
            var journey = Journey(try await cluster.nodes[0].connect(stage.member))
            var random = SeededGenerator(seed: 12)
            for round in 1...25 {
                journey.rest()
                #expect(journey.audit.shows(stage.guild.channel))
                try await Traffic.run(by: stage.owner, in: [stage.guild.channel], on: cluster.nodes[0], senders: 2) {
                    traffic in
                    try await traffic.flow(3)
                    journey.rest()
                    let delay = Int.random(in: 0...4_000, using: &random)
                    async let kicked: Void = {
                        try await Task.sleep(for: .microseconds(delay))
                        _ = try await cluster.nodes[2].realtime.perform(
                            GuildCommand(caller: stage.owner, operation: .kick(stage.member.userID)),
                            on: stage.guild.id)
                        try await cluster.nodes[2].say("secret \(round)", in: stage.guild.channel, as: stage.owner)
                    }()
                    try await journey.resume(on: cluster.nodes[round % 3], loop: round % 2)
                    try await kicked
                    try await traffic.flow(3)
                }
                await journey.untilResumed()
                try await cluster.nodes[1].say("end \(round)", in: stage.direct, as: stage.owner)
                await journey.until("end \(round)")
                await journey.client.until { [id = stage.guild.id] dispatches, _, _ in
                    dispatches.contains { $0.kind == .guildDelete && $0.body["id"]?.snowflakeValue == id }
                }
                journey.rest()
                #expect(!journey.audit.shows(stage.guild.channel))
                try await cluster.nodes[0].join(stage.member, stage.guild, by: stage.owner)
                await journey.client.until { [id = stage.guild.id] dispatches, _, _ in
                    dispatches.last { $0.body["id"]?.snowflakeValue == id }?.kind == .guildCreate
                }
            }
            journey.rest()
            #expect(journey.audit.breaches == [])
            #expect(journey.audit.kinds[.guildDelete] == 25)
            let shown = journey.audit.contents[stage.guild.channel] ?? []
            #expect(!shown.contains { $0.hasPrefix("secret") })
            #expect(!shown.isEmpty)
        }
    }

    /// What is on its way when a session moves is answered where it has gone.
    @Test func answersFollowASessionThatMoves() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let stage = try await Stage(cluster)
            var journey = Journey(try await cluster.nodes[0].connect(stage.member))
            var answered: Set<String> = []
            var carried = 0
            for move in 1...30 {
                journey.rest()
                for number in 0..<20 {
                    journey.client.send("s", to: stage.guild.channel, nonce: "\(move).\(number)")
                }
                let former = journey.client
                try await journey.resume(on: cluster.nodes[move % 3])
                await journey.untilResumed()
                let before = Set(former.acknowledgements.compactMap { $0["nonce"]?.stringValue })
                // Its last message is answered after all of those.
                journey.client.send("last", to: stage.guild.channel, nonce: "\(move).last")
                await journey.client.until { _, acknowledgements, _ in
                    acknowledgements.contains { $0["nonce"]?.stringValue == "\(move).last" }
                }
                let after = journey.client.acknowledgements.compactMap { $0["nonce"]?.stringValue }
                    .filter { $0.hasPrefix("\(move).") && !$0.hasSuffix("last") }
                #expect(after.count == Set(after).count && before.isDisjoint(with: after))
                carried += after.count
                answered.formUnion(before)
                answered.formUnion(after)
            }
            #expect(carried > 0)
            journey.rest()
            #expect(journey.audit.breaches == [])
        }
    }
}

/// Whether a RESUME is refused for now; false if it succeeds.
private func isToldToTryAgain(_ resume: () async throws -> Void) async throws -> Bool {
    do {
        try await resume()
        return false
    } catch SessionRefusal.invalidSession(resumable: true) {
        return true
    }
}

private func isStatus(_ status: String, of member: Caller, _ dispatch: TestClient.Dispatch) -> Bool {
    dispatch.kind == .presenceUpdate && dispatch.body["user"]?["id"]?.snowflakeValue == member.userID
        && dispatch.body["status"]?.stringValue == status
}
