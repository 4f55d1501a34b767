import FluxCore
import FluxStore
import FluxTestSupport
import Testing

@testable import FluxCluster
@testable import FluxRealtime

/// Engines that make a cluster by themselves, over real links and a real Postgres (design 5).
@Suite(.serialized, .timeLimit(.minutes(3))) struct LinkedClusterTests {
    @Test func oneNodeOwnsEverythingWhenItHasStarted() async throws {
        try await LinkedCluster.run(nodes: 1) { cluster in
            let status = await cluster.nodes[0].cluster.status()
            #expect(status.members.map(\.slots) == [Slot.count])
            #expect(status.unownedSlots == 0 && status.unreadyReasons.isEmpty)
        }
    }

    @Test func threeNodesShareTheSlotsAndAMessageFindsItsWay() async throws {
        try await LinkedCluster.run { cluster in
            for node in cluster.nodes {
                let status = await node.cluster.status()
                #expect(status.members.count == 3)
                #expect(status.members.allSatisfy { $0.health == .alive && $0.isLinked && $0.isReady == true })
                #expect(status.members.allSatisfy { $0.slots > 250 })
            }
            let (home, edge, far) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
            let guild = try await cluster.guild(on: home)
            let client = try await far.node.connect(guild.owner)
            for number in 1...20 {
                try await edge.node.say("m\(number)", in: guild.channel, as: guild.owner)
            }
            await client.until { dispatches, _, _ in dispatches.count { $0.kind == .messageCreate } == 20 }
            #expect(client.contents(of: guild.channel) == (1...20).map { "m\($0)" })
        }
    }

    @Test func theSlotsOfAKilledNodeAreTakenWithEverythingAcknowledged() async throws {
        // The one that was killed waits in vain for somebody who takes its writes.
        try await LinkedCluster.run(calls: CallLimits(stallTime: .seconds(3))) { cluster in
            let (victim, survivors) = (cluster.nodes[0], Array(cluster.nodes[1...]))
            let guild = try await cluster.guild(on: victim)
            let client = try await survivors[1].node.connect(guild.owner)
            for number in 1...50 {
                try await survivors[0].node.say("m\(number)", in: guild.channel, as: guild.owner)
            }
            await client.until { dispatches, _, _ in dispatches.count { $0.kind == .messageCreate } == 50 }
            await victim.kill()
            try await cluster.untilSharedOut(among: survivors)
            #expect(await survivors[0].cluster.status().members[0].health == .dead)
            // The one that was killed still believes in its slots; it commits nothing any more.
            await #expect(throws: APIError.self) {
                try await victim.node.say("too late", in: guild.channel, as: guild.owner)
            }
            try await survivors[0].node.say("after", in: guild.channel, as: guild.owner)
            let stored = try await Messages(survivors[0].node.database).history(
                .newest, in: guild.channel, guildID: guild.id, limit: 100)
            #expect(stored.map(\.content).sorted() == ((1...50).map { "m\($0)" } + ["after"]).sorted())
        }
    }

    /// An unplanned death costs the senders of other nodes time, and nothing else: no refusal, nothing lost, nothing twice; over
    /// REST without nonces as over op 100.
    @Test func sendersOnOtherNodesDoNotNoticeThatTheOwnerDies() async throws {
        try await LinkedCluster.run { cluster in
            let (victim, edges) = (cluster.nodes[0], Array(cluster.nodes[1...]))
            // Each its own channel, all of them the victim's.
            let guilds = [
                try await cluster.guild(on: victim), try await cluster.guild(on: victim),
                try await cluster.guild(on: victim),
            ]
            let client = try await edges[1].node.connect(guilds[2].owner)
            func sendLive(_ numbers: Range<Int>) {
                for number in numbers { client.send("o\(number)", to: guilds[2].channel, nonce: "o\(number)") }
            }
            let sent = try await Traffic.run(by: guilds[0].owner, in: [guilds[0].channel], on: edges[0].node) { first in
                try await Traffic.run(by: guilds[1].owner, in: [guilds[1].channel], on: edges[1].node) { second in
                    sendLive(0..<100)
                    try await first.flow(100)
                    try await second.flow(100)
                    sendLive(100..<150)
                    await victim.kill()
                    sendLive(150..<200)
                    try await cluster.untilSharedOut(among: edges)
                    sendLive(200..<250)
                    // These come after the death, each waiting for the one before it.
                    try await first.flow(100)
                    try await second.flow(100)
                    return (first, second)
                }
            }
            await client.until { _, acknowledgements, closed in acknowledgements.count == 250 || closed != nil }
            #expect(client.closed == nil)
            // In the order of the sends, none of them refused.
            #expect(client.acknowledgements.map { $0["nonce"]?.stringValue } == (0..<250).map { "o\($0)" })
            #expect(client.acknowledgements.allSatisfy { $0["error"] == nil })
            let ids = client.acknowledgements.compactMap { $0["id"]?.snowflakeValue }
            #expect(ids == ids.sorted())
            for (guild, count) in [(guilds[0], sent.0.sent), (guilds[1], sent.1.sent), (guilds[2], 250)] {
                let contents = try await cluster.contents(of: guild.channel, in: guild.id)
                #expect(contents.count == count && Set(contents).count == count)
            }
        }
    }

    @Test func aDrainedNodeHandsItsSlotsOverWithoutAFailedCall() async throws {
        try await LinkedCluster.run { cluster in
            let (leaver, others) = (cluster.nodes[0], Array(cluster.nodes[1...]))
            let guilds = [
                try await cluster.guild(on: leaver), try await cluster.guild(on: leaver),
                try await cluster.guild(on: others[0]),
            ]
            let sender = guilds[0].owner
            // A reader who lives on the leaver, and listens elsewhere.
            let reader = try await cluster.person(on: leaver)
            try await leaver.node.join(reader, (guilds[0].id, guilds[0].channel), by: sender)
            let client = try await others[0].node.connect(reader)
            for guild in guilds.dropFirst() {
                try await leaver.node.join(sender, (guild.id, guild.channel), by: guild.owner)
            }
            let sent = try await Traffic.run(by: sender, in: guilds.map(\.channel), on: others[1].node) { traffic in
                try await traffic.flow(100)
                #expect(try await leaver.cluster.drain(atMost: .seconds(60)))
                #expect(await leaver.cluster.status().members[0].slots == 0)
                try await traffic.flow(100)
                try await leaver.cluster.undrain()
                try await cluster.untilSharedOut(among: cluster.nodes)
                try await traffic.flow(100)
                return traffic
            }.sent
            let heads = try await cluster.heads(of: guilds.map(\.channel))
            try await eventually("the reader has seen everything") {
                client.closed != nil || client.sequences(of: guilds[0].channel).count == heads[guilds[0].channel]
            }
            #expect(client.closed == nil && client.broken == nil)
            #expect(client.sequences(of: guilds[0].channel) == Array(1...heads[guilds[0].channel, default: 0]))
            #expect(heads.values.reduce(0, +) == sent)
        }
    }

    /// A rolling upgrade, half way (I10): what a newer build adds to what it says disturbs nobody.
    @Test func aNodeOfTheNextVersionTakesPartAndHandsItsSlotsOver() async throws {
        try await LinkedCluster.run(dialects: [.own, .next, .own]) { cluster in
            let (old, new, edge) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
            for node in cluster.nodes {
                let members = await node.cluster.status().members
                #expect(
                    members.allSatisfy { $0.health == .alive && $0.isLinked && $0.isReady == true && $0.slots > 250 })
            }
            #expect(new.transport.version(of: old.id) == .current)
            let guilds = [try await cluster.guild(on: old), try await cluster.guild(on: new)]
            let sender = guilds[0].owner
            // Somebody whom the newer node's memory of a slot speaks of.
            let member = try await cluster.person(on: new)
            try await edge.node.join(sender, (guilds[1].id, guilds[1].channel), by: guilds[1].owner)
            try await edge.node.join(member, (guilds[1].id, guilds[1].channel), by: guilds[1].owner)
            let online = try await edge.node.connect(member)
            let clients = [try await edge.node.connect(sender), try await edge.node.connect(sender)]
            let sent = try await Traffic.run(by: sender, in: guilds.map(\.channel), on: edge.node) { traffic in
                try await traffic.flow(50)
                for leaver in [new, old] {
                    #expect(try await leaver.cluster.drain(atMost: .seconds(60)))
                    try await traffic.flow(50)
                    try await leaver.cluster.undrain()
                    try await cluster.untilSharedOut(among: cluster.nodes)
                }
                try await traffic.flow(50)
                return traffic
            }.sent
            for client in clients {
                try await eventually("the reader has seen everything") {
                    client.closed != nil || client.dispatches.count { $0.kind == .messageCreate } == sent
                }
                #expect(client.closed == nil && client.broken == nil)
            }
            #expect(try await isOnline(member, in: guilds[1].id, for: guilds[1].owner, on: edge.node))
            #expect(online.closed == nil)
        }
    }

    @Test func theClientsOfADrainedNodeAreTakenUpByTheOthers() async throws {
        try await LinkedCluster.run { cluster in
            let (leaver, others) = (cluster.nodes[0], Array(cluster.nodes[1...]))
            let guild = try await cluster.guild(on: leaver)
            let witness = try await others[0].node.connect(guild.owner)
            var members: [Caller] = []
            for home in cluster.nodes {
                let member = try await cluster.person(on: home)
                try await leaver.node.join(member, (guild.id, guild.channel), by: guild.owner)
                members.append(member)
            }
            let sent = try await Traffic.run(by: guild.owner, in: [guild.channel], on: others[1].node) { traffic in
                try await traffic.flow(20)
                var journeys: [Journey] = []
                for number in 0..<12 {
                    let client = try await leaver.node.connect(members[number % 3], loop: number % 2)
                    journeys.append(Journey(client))
                }
                try await traffic.flow(20)
                async let isDrained = leaver.cluster.drain(atMost: .seconds(60))
                journeys = try await withThrowingTaskGroup(of: Journey.self) { group in
                    for (number, journey) in journeys.enumerated() {
                        group.addTask {
                            var journey = journey
                            await journey.client.until { _, _, closed in closed != nil }
                            #expect(journey.client.closed == .goingAway)
                            journey.rest()
                            try await journey.resume(on: others[number % 2].node, loop: number % 2)
                            await journey.untilResumed()
                            return journey
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(try await isDrained)
                #expect(await leaver.node.realtime.census().sessions == 0)
                try await traffic.flow(20)
                // Nobody begins there, until it takes part again.
                await #expect(throws: SessionRefusal.invalidSession(resumable: false)) {
                    _ = try await leaver.node.connect(members[0])
                }
                try await leaver.cluster.undrain()
                _ = try await leaver.node.connect(members[0])
                return (journeys, traffic)
            }
            let head = try #require(try await cluster.heads(of: [guild.channel])[guild.channel])
            #expect(head == sent.1.sent)
            for var journey in sent.0 {
                await journey.client.until { dispatches, _, _ in
                    dispatches.contains { $0.body["seq"]?.intValue == head }
                }
                journey.rest()
                #expect(journey.audit.breaches == [])
            }
            #expect(
                !witness.dispatches.contains {
                    $0.kind == .presenceUpdate && $0.body["status"]?.stringValue == "offline"
                })
        }
    }

    /// Its client is not there while the node ends, and finds its session on whichever node it comes to then.
    @Test func aSessionOutlivesItsNodeWithoutItsClient() async throws {
        try await LinkedCluster.run { cluster in
            let (leaver, others) = (cluster.nodes[0], Array(cluster.nodes[1...]))
            let guild = try await cluster.guild(on: others[0])
            var journeys: [Journey] = []
            for number in 0..<6 {
                var journey = Journey(try await leaver.node.connect(guild.owner, loop: number % 2))
                journey.rest()
                await journey.client.drop()
                journeys.append(journey)
            }
            try await others[0].node.say("before", in: guild.channel, as: guild.owner)
            await leaver.stop()
            try await cluster.untilSharedOut(among: others)
            try await others[1].node.say("after", in: guild.channel, as: guild.owner)
            for number in journeys.indices {
                try await journeys[number].resume(on: others[number % 2].node, loop: number % 2)
                await journeys[number].until("after")
                journeys[number].rest()
                #expect(journeys[number].audit.breaches == [])
                #expect(journeys[number].audit.contents[guild.channel] == ["before", "after"])
            }
        }
    }

    @Test func aNodeThatJoinsUnderLoadGetsItsShareWithoutAFailedCall() async throws {
        try await LinkedCluster.run(nodes: 2) { cluster in
            let guilds = [try await cluster.guild(on: cluster.nodes[0]), try await cluster.guild(on: cluster.nodes[1])]
            let sender = guilds[0].owner
            try await cluster.nodes[0].node.join(sender, (guilds[1].id, guilds[1].channel), by: guilds[1].owner)
            let client = try await cluster.nodes[1].node.connect(sender)
            let joined = try await LinkedNode.start(number: 3, url: cluster.url, authority: cluster.authority)
            do {
                let sent = try await Traffic.run(by: sender, in: guilds.map(\.channel), on: cluster.nodes[0].node) {
                    traffic in
                    try await cluster.untilSharedOut(among: cluster.nodes + [joined])
                    try await traffic.flow(50)
                    // A heavier node gets more.
                    let before = await joined.cluster.status().members[2].slots
                    try await LeaseStore(joined.node.database).setWeight(4, ofNode: joined.id.rawValue)
                    try await eventually("the node has more slots") {
                        await joined.cluster.status().members[2].slots > before * 3 / 2
                    }
                    try await traffic.flow(50)
                    return traffic
                }.sent
                let heads = try await cluster.heads(of: guilds.map(\.channel))
                #expect(heads.values.reduce(0, +) == sent)
                try await eventually("the reader has seen everything") {
                    client.closed != nil || client.dispatches.count { $0.kind == .messageCreate } == sent
                }
                #expect(client.closed == nil && client.broken == nil)
            } catch {
                Issue.record(error)
            }
            await joined.stop()
            try await cluster.untilSharedOut(among: cluster.nodes)
            await joined.close()
        }
    }

    @Test func whoIsOnlineIsKnownToTheNextOwner() async throws {
        try await LinkedCluster.run { cluster in
            let (leaver, others) = (cluster.nodes[0], Array(cluster.nodes[1...]))
            let guild = try await cluster.guild(on: leaver)
            let member = try await cluster.person(on: leaver)
            try await leaver.node.join(member, (guild.id, guild.channel), by: guild.owner)
            let online = try await others[0].node.connect(member)
            try await leaver.cluster.drain()
            #expect(try await isOnline(member, in: guild.id, for: guild.owner, on: others[1].node))
            // The user's new owner knows the session, and hears of its end.
            await online.drop(closeCode: GatewayCloseCode.normal.rawValue)
            try await eventually("the member is offline") {
                try await !isOnline(member, in: guild.id, for: guild.owner, on: others[1].node)
            }
        }
    }

    @Test func aNodeAloneThatIsDrainedKeepsItsSlotsAndServesAgainAfterLeaving() async throws {
        let url = try await TestPostgres.shared.database().url
        let authority = try TestAuthority()
        for _ in 0..<2 {
            let node = try await LinkedNode.start(number: 1, url: url, authority: authority)
            #expect(node.node.system.owns(Slot(of: Snowflake(1 << 30))))
            #expect(try await node.cluster.drain())
            #expect(await node.cluster.status().members.map(\.slots) == [Slot.count])
            await node.stop()
            await node.close()
        }
    }

    @Test func aRemovedNodeEndsAndItsSlotsAreTaken() async throws {
        try await LinkedCluster.run { cluster in
            let (removed, others) = (cluster.nodes[2], Array(cluster.nodes[..<2]))
            #expect(try await LeaseStore(removed.node.database).setState(.removed, ofNode: removed.id.rawValue))
            let members = try cluster.authority.fingerprints(except: removed.id)
            for node in others { node.transport.accept(only: members) }
            try await cluster.untilSharedOut(among: others)
            try await eventually("the removed node is told to end") { removed.wasSuperseded }
        }
    }

    private func isOnline(
        _ member: Caller, in guild: GuildID, for asker: Caller, on node: TestNode
    ) async throws -> Bool {
        let request = try #require(
            MemberRequest(
                json: [
                    "guild_id": .string(guild.description), "user_ids": [.string(member.userID.description)],
                    "presences": true,
                ]))
        let chunks = try await node.realtime.services.guild(guild).members(request, for: asker.userID)
        let presences = try chunks.bodies.flatMap { try JSON.parse($0)["presences"]?.arrayValue ?? [] }
        return presences.contains { $0["status"] == "online" }
    }
}
