import FluxCore
import Testing

@testable import FluxCluster
@testable import FluxRealtime

/// Streams between nodes: nothing lost, doubled or out of order when links break and owners change (I5, I6, I7).
@Suite struct ClusterStreamTests {
    /// A guild with its owner, and where it lives.
    private struct Scene {
        let owner: Caller
        let guild: (id: GuildID, channel: ChannelID)
        let home: Int
        /// Nodes that do not own the guild.
        let others: [Int]
    }

    private func scene(in cluster: TestCluster, at home: Int) async throws -> Scene {
        while true {
            let owner = try await cluster.nodes[home].person("owner\(try cluster.nodes[home].realtime.mintID())")
            let guild = try await cluster.nodes[home].guild(of: owner)
            // The user's own stream shall not be what the test breaks.
            guard try cluster.owner(of: Slot(of: guild.id)) == home,
                try cluster.owner(of: Slot(of: owner.userID)) != home
            else { continue }
            return Scene(
                owner: owner, guild: guild, home: home, others: cluster.nodes.indices.filter { $0 != home })
        }
    }

    @Test func sessionsOnEveryNodeSeeTheSame() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await scene(in: cluster, at: 0)
            var clients: [TestClient] = []
            for node in cluster.nodes {
                for loop in 0..<2 { clients.append(try await node.connect(scene.owner, loop: loop)) }
            }
            for number in 1...100 {
                try await cluster.nodes[number % 3].say("m\(number)", in: scene.guild.channel, as: scene.owner)
            }
            for client in clients {
                await client.until { dispatches, _, _ in dispatches.count { $0.kind == .messageCreate } == 100 }
                #expect(client.contents(of: scene.guild.channel) == (1...100).map { "m\($0)" })
                #expect(client.sequences(of: scene.guild.channel) == Array(1...100))
                #expect(client.broken == nil)
            }
        }
    }

    @Test func aMessageIsOneFramePerNodeHoweverManyListen() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await scene(in: cluster, at: 0)
            var clients: [TestClient] = []
            for index in 0..<60 {
                clients.append(try await cluster.nodes[index % 3].connect(scene.owner, loop: index % 2))
            }
            // What the sessions' beginnings have set off has arrived where this one has.
            try await cluster.nodes[0].say("first", in: scene.guild.channel, as: scene.owner)
            for client in clients {
                await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .messageCreate } }
            }
            let before = await cluster.nodes[0].realtime.census().frames
            try await cluster.nodes[0].say("once", in: scene.guild.channel, as: scene.owner)
            for client in clients {
                await client.until { dispatches, _, _ in dispatches.count { $0.kind == .messageCreate } == 2 }
            }
            #expect(await cluster.nodes[0].realtime.census().frames == before + 2)

            // A batch that is decided in one turn is one frame for each node, too.
            let (home, guild) = (cluster.nodes[0].realtime.services, scene.guild)
            home.run(onLoopOf: .guild(guild.id)) { loop in
                for number in 0..<100 {
                    loop.guilds[guild.id]?.publish(
                        GuildEvent(
                            .typingStart, body: Array("{\"n\":\(number)}".utf8), audience: .viewers(of: guild.channel)))
                }
            }
            for client in clients {
                await client.until { dispatches, _, _ in dispatches.count { $0.kind == .typingStart } == 100 }
            }
            #expect(await cluster.nodes[0].realtime.census().frames == before + 4)
        }
    }

    @Test func aBrokenLinkLosesNothing() async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let scene = try await scene(in: cluster, at: 0)
            let (home, away) = (cluster.nodes[0], cluster.nodes[1])
            let client = try await away.connect(scene.owner)
            for round in 0..<10 {
                cluster.network.cut(home.id, away.id)
                for number in 0..<10 {
                    try await home.say("m\(round * 20 + number)", in: scene.guild.channel, as: scene.owner)
                }
                cluster.network.heal(home.id, away.id)
                for number in 10..<20 {
                    try await home.say("m\(round * 20 + number)", in: scene.guild.channel, as: scene.owner)
                }
            }
            await client.until { dispatches, _, _ in dispatches.count { $0.kind == .messageCreate } == 200 }
            #expect(client.contents(of: scene.guild.channel) == (0..<200).map { "m\($0)" })
            #expect(client.closed == nil)
            #expect(client.broken == nil)
        }
    }

    @Test func aLastEventThatGotLostIsNoticed() async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let scene = try await scene(in: cluster, at: 0)
            let (home, away) = (cluster.nodes[0], cluster.nodes[1])
            let client = try await away.connect(scene.owner)
            cluster.network.drop(from: home.id, to: away.id)
            try await home.say("lost", in: scene.guild.channel, as: scene.owner)
            cluster.network.heal(home.id, away.id)
            // No later event tells of the gap.
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .messageCreate } }
            #expect(client.contents(of: scene.guild.channel) == ["lost"])
            #expect(client.closed == nil)
        }
    }

    @Test func aNodeThatTheOwnerHasLostSightOfFindsItAgain() async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let scene = try await scene(in: cluster, at: 0)
            let (home, away) = (cluster.nodes[0], cluster.nodes[1])
            let client = try await away.connect(scene.owner)
            let key = StreamKey.guild(scene.guild.id)
            await withCheckedContinuation { continuation in
                home.realtime.services.run(onLoopOf: key) { loop in
                    loop.relays.detach(away.id, registration: nil, from: key, at: loop.now)
                    continuation.resume()
                }
            }
            try await home.say("unheard", in: scene.guild.channel, as: scene.owner)
            // Neither an event nor a head comes that could tell.
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .messageCreate } }
            #expect(client.contents(of: scene.guild.channel) == ["unheard"])
            #expect(client.closed == nil)
        }
    }

    @Test func anAnswerThatRevivesALeaseBringsAllStreamsOfThatOwnerBack() async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let scene = try await scene(in: cluster, at: 0)
            let (home, away) = (cluster.nodes[0], cluster.nodes[1])
            let client = try await away.connect(scene.owner)
            let key = StreamKey.guild(scene.guild.id)
            // As of a node that stood still: it hears of no grant until the last one has run out.
            cluster.network.drop(from: home.id, to: away.id)
            try await Task.sleep(for: .milliseconds(RelayLeases.milliseconds + 100))
            let owner = home.id
            let elsewhere = 1 - away.mesh.index(of: key.slot)
            let isTrusted: Bool = await withCheckedContinuation { continuation in
                away.realtime.services.run(on: elsewhere) { loop in
                    loop.services.links.registered(with: owner, askedAt: loop.now, on: loop)
                    loop.services.run(onLoopOf: key) { loop in
                        continuation.resume(returning: loop.relays.position(of: key) != nil)
                    }
                }
            }
            #expect(!isTrusted)
            cluster.network.heal(home.id, away.id)
            try await home.say("after", in: scene.guild.channel, as: scene.owner)
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .messageCreate } }
            #expect(client.contents(of: scene.guild.channel) == ["after"])
            #expect(client.closed == nil)
        }
    }

    @Test func aNewOwnerGoesOnWhereTheOldOneEnded() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await scene(in: cluster, at: 0)
            let client = try await cluster.nodes[1].connect(scene.owner)
            let late = try await cluster.nodes[2].connect(scene.owner, loop: 1)
            for number in 1...20 {
                try await cluster.nodes[1].say("m\(number)", in: scene.guild.channel, as: scene.owner)
            }
            try await cluster.takeOver(from: 0, by: 2)
            for number in 21...40 {
                try await cluster.nodes[1].say("m\(number)", in: scene.guild.channel, as: scene.owner)
            }
            for client in [client, late] {
                await client.until { dispatches, _, closed in
                    closed != nil || dispatches.count { $0.kind == .messageCreate } == 40
                }
                #expect(client.closed == nil)
                #expect(client.contents(of: scene.guild.channel) == (1...40).map { "m\($0)" })
                #expect(client.sequences(of: scene.guild.channel) == Array(1...40))
                #expect(client.broken == nil)
            }
        }
    }

    @Test func whatANewOwnerTakesIsTakenFromThoseWhoFindItLater() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await scene(in: cluster, at: 0)
            let (away, heir) = (cluster.nodes[1], cluster.nodes[2])
            var member = try await away.person("member0")
            while try cluster.owner(of: Slot(of: member.userID)) != 1 {
                member = try await away.person("member\(try away.realtime.mintID())")
            }
            try await cluster.nodes[0].join(member, scene.guild, by: scene.owner)
            let client = try await away.connect(member)
            try await cluster.nodes[0].say("seen", in: scene.guild.channel, as: scene.owner)
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .messageCreate } }
            // The new owner cannot know yet who listens there.
            cluster.network.cut(away.id, heir.id)
            try await cluster.takeOver(from: 0, by: 2)
            _ = try await heir.realtime.perform(
                GuildCommand(
                    caller: scene.owner, operation: .setOverwrite(scene.guild.channel, target: member.userID),
                    body: ["type": 1, "deny": .string(Permissions.viewChannel.description)]), on: scene.guild.id)
            cluster.network.heal(away.id, heir.id)
            try await heir.say("secret", in: scene.guild.channel, as: scene.owner)
            await client.until { dispatches, _, closed in
                closed != nil || dispatches.contains { $0.kind == .channelDelete }
                    || dispatches.count { $0.kind == .messageCreate } > 1
            }
            #expect(client.contents(of: scene.guild.channel) == ["seen"])
        }
    }

    @Test func whatTheDeadOwnerCommittedUnseenIsMadeUpFor() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await scene(in: cluster, at: 0)
            let client = try await cluster.nodes[1].connect(scene.owner)
            try await cluster.nodes[0].say("seen", in: scene.guild.channel, as: scene.owner)
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .messageCreate } }
            cluster.network.cut(cluster.nodes[0].id, cluster.nodes[1].id)
            for number in 1...5 {
                try await cluster.nodes[0].say("unseen\(number)", in: scene.guild.channel, as: scene.owner)
            }
            try await cluster.takeOver(from: 0, by: 2)
            try await cluster.nodes[2].say("after", in: scene.guild.channel, as: scene.owner)
            await client.until { dispatches, _, closed in
                closed != nil || dispatches.contains { $0.body["content"]?.stringValue == "after" }
            }
            #expect(client.closed == nil)
            #expect(
                client.contents(of: scene.guild.channel) == ["seen"] + (1...5).map { "unseen\($0)" } + ["after"])
            #expect(client.sequences(of: scene.guild.channel) == Array(1...7))
        }
    }

    @Test func whatWasShownAndLostIsTakenBack() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await scene(in: cluster, at: 0)
            let client = try await cluster.nodes[1].connect(scene.owner)
            try await cluster.nodes[0].say("kept", in: scene.guild.channel, as: scene.owner)
            // The old owner shows what it can no longer commit: its lease goes first, and it does not know.
            let slots = Slot.all.filter { cluster.nodes[0].system.assignment(of: $0).node == cluster.nodes[0].id }
            let taker = cluster.nodes[2].system
            let epochs = try await #require(taker.leases).acquire(slots, for: taker.identity)
            let sending = (1...3).map { number in
                Task { try await cluster.nodes[0].say("lost\(number)", in: scene.guild.channel, as: scene.owner) }
            }
            await client.until { dispatches, _, _ in
                dispatches.contains { $0.body["content"]?.stringValue.map { $0.hasPrefix("lost") } ?? false }
            }
            for other in 1...2 { cluster.network.cut(cluster.nodes[0].id, cluster.nodes[other].id) }
            await cluster.nodes[2].system.gained(epochs)
            cluster.tellOthers(of: slots, ownedBy: cluster.nodes[2])
            try await cluster.nodes[1].say("after", in: scene.guild.channel, as: scene.owner)
            await client.until { dispatches, _, closed in
                closed != nil || dispatches.contains { $0.body["content"]?.stringValue == "after" }
            }
            #expect(client.closed == nil)
            #expect(standing(in: scene.guild.channel, for: client) == ["after", "kept"])
            // Their sender waits for a way to the new owner, and then they are what was sent.
            cluster.network.heal(cluster.nodes[0].id, cluster.nodes[2].id)
            for send in sending { _ = try await send.value }
            await client.until { dispatches, _, closed in
                let shown = dispatches.count { $0.kind == .messageCreate }
                return closed != nil || shown - dispatches.count { $0.kind == .messageDelete } == 5
            }
            #expect(standing(in: scene.guild.channel, for: client) == ["after", "kept", "lost1", "lost2", "lost3"])
        }
    }

    /// The messages that a client has been shown and that were not taken back.
    private func standing(in channel: ChannelID, for client: TestClient) -> [String] {
        var standing: [String: String] = [:]
        for dispatch in client.dispatches where dispatch.body["channel_id"]?.snowflakeValue == channel {
            guard let id = dispatch.body["id"]?.stringValue else { continue }
            switch dispatch.kind {
            case .messageCreate: standing[id] = dispatch.body["content"]?.stringValue
            case .messageDelete: #expect(standing.removeValue(forKey: id) != nil)
            default: break
            }
        }
        return standing.values.sorted()
    }
}
