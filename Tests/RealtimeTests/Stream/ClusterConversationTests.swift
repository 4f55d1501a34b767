import FluxCore
import Testing

@testable import FluxCluster
@testable import FluxRealtime

/// A conversation's events go from its owner through its people's owners to their sessions: nothing is lost, doubled or false
/// when links break and owners die (I5, I6).
@Suite struct ClusterConversationTests {
    /// Two people with a conversation.
    private struct Scene {
        let sender: Caller
        let reader: Caller
        let channel: ChannelID
    }

    /// A conversation that lives at `home`, whose reader's actor lives at `readerHome`, and whose sender's at neither if there
    /// is a third node.
    private func scene(in cluster: TestCluster, at home: Int, readerAt readerHome: Int) async throws -> Scene {
        let node = cluster.nodes[home]
        func person(where isRight: (Int) -> Bool) async throws -> Caller {
            while true {
                let person = try await node.person("p\(try node.realtime.mintID())")
                if isRight(try cluster.owner(of: Slot(of: person.userID))) { return person }
            }
        }
        let sender = try await person { $0 != readerHome && ($0 != home || cluster.nodes.count < 3) }
        while true {
            let reader = try await person { $0 == readerHome }
            let channel = try await node.direct(sender, with: reader)
            if try cluster.owner(of: Slot(of: channel)) == home {
                return Scene(sender: sender, reader: reader, channel: channel)
            }
        }
    }

    private func waitFor(_ texts: [String], in scene: Scene, at client: TestClient) async {
        await client.until { dispatches, _, closed in
            let shown = Set(dispatches.compactMap { $0.body["content"]?.stringValue })
            return closed != nil || shown.isSuperset(of: texts)
        }
    }

    @Test func anEventThatGotLostIsAskedFor() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await scene(in: cluster, at: 0, readerAt: 1)
            let client = try await cluster.nodes[2].connect(scene.reader)
            try await cluster.nodes[0].say("one", in: scene.channel, as: scene.sender)
            await waitFor(["one"], in: scene, at: client)
            cluster.network.drop(from: cluster.nodes[0].id, to: cluster.nodes[1].id)
            try await cluster.nodes[0].say("lost", in: scene.channel, as: scene.sender)
            cluster.network.heal(cluster.nodes[0].id, cluster.nodes[1].id)
            try await cluster.nodes[0].say("three", in: scene.channel, as: scene.sender)
            await waitFor(["one", "lost", "three"], in: scene, at: client)
            #expect(client.contents(of: scene.channel) == ["one", "lost", "three"])
            #expect(client.sequences(of: scene.channel) == [1, 2, 3])
            #expect(client.closed == nil)
        }
    }

    @Test func anEventThatGotLostIsToldThoughNoneFollows() async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let scene = try await scene(in: cluster, at: 0, readerAt: 1)
            let client = try await cluster.nodes[1].connect(scene.reader)
            try await cluster.nodes[0].say("one", in: scene.channel, as: scene.sender)
            await waitFor(["one"], in: scene, at: client)
            for round in 0..<5 {
                cluster.network.cut(cluster.nodes[0].id, cluster.nodes[1].id)
                try await cluster.nodes[0].say("lost\(round)", in: scene.channel, as: scene.sender)
                cluster.network.heal(cluster.nodes[0].id, cluster.nodes[1].id)
            }
            await waitFor((0..<5).map { "lost\($0)" }, in: scene, at: client)
            #expect(client.contents(of: scene.channel) == ["one"] + (0..<5).map { "lost\($0)" })
            #expect(client.closed == nil)
        }
    }

    @Test func aSessionGoesOnUnderTheNextOwnerOfItsUser() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await scene(in: cluster, at: 2, readerAt: 0)
            let guild = try await cluster.nodes[1].guild(of: scene.reader)
            try await cluster.nodes[1].act(
                .updateSettings, ["theme": "dark", "status": "dnd"], as: scene.reader)
            let client = try await cluster.nodes[1].connect(scene.reader)
            let other = try await cluster.nodes[2].connect(scene.reader, loop: 1)
            for number in 1...5 {
                try await cluster.nodes[2].say("m\(number)", in: scene.channel, as: scene.sender)
            }
            try await cluster.nodes[1].act(.updateSettings, ["theme": "light"], as: scene.reader)
            for client in [client, other] {
                await waitFor(["m5"], in: scene, at: client)
                await client.until(.userSettingsUpdate)
            }
            try await cluster.takeOver(from: 0, by: 2)
            // The next owner reads how far the conversation has come; what is said before that nobody may know to be missing.
            try await cluster.nodes[1].act(.settings, as: scene.reader)
            for number in 6...10 {
                try await cluster.nodes[1].say("m\(number)", in: scene.channel, as: scene.sender)
            }
            try await cluster.nodes[1].act(.updateSettings, ["theme": "dark"], as: scene.reader)
            for client in [client, other] {
                await waitFor(["m10"], in: scene, at: client)
                await client.until(.userSettingsUpdate, count: 2)
                #expect(client.closed == nil)
                #expect(client.broken == nil)
                #expect(client.contents(of: scene.channel) == (1...10).map { "m\($0)" })
                #expect(client.sequences(of: scene.channel) == Array(1...10))
            }
            // The guild's stream goes on beside it.
            try await cluster.nodes[1].say("hall", in: guild.channel, as: scene.reader)
            await client.until { dispatches, _, closed in
                closed != nil || dispatches.contains { $0.body["content"]?.stringValue == "hall" }
            }
            #expect(client.closed == nil)
        }
    }

    @Test func aSessionThatHasMissedSomethingOfItsUserBeginsAnew() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await scene(in: cluster, at: 2, readerAt: 0)
            let client = try await cluster.nodes[1].connect(scene.reader)
            let other = try await cluster.nodes[2].connect(scene.reader)
            cluster.network.cut(cluster.nodes[0].id, cluster.nodes[1].id)
            // The owner commits it and cannot tell this one.
            try await cluster.nodes[0].act(.updateSettings, ["theme": "light"], as: scene.reader)
            await other.until(.userSettingsUpdate)
            try await cluster.takeOver(from: 0, by: 2)
            await client.until { _, _, closed in closed != nil }
            #expect(client.closed != nil)
            #expect(client.count(.userSettingsUpdate) == 0)
            #expect(other.closed == nil)
        }
    }

    @Test func whatAConversationShowedAndLostIsTakenBack() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await scene(in: cluster, at: 0, readerAt: 1)
            let client = try await cluster.nodes[1].connect(scene.reader)
            try await cluster.nodes[0].say("kept", in: scene.channel, as: scene.sender)
            // The old owner shows what it can no longer commit: its lease goes first, and it does not know.
            let slots = Slot.all.filter { cluster.nodes[0].system.assignment(of: $0).node == cluster.nodes[0].id }
            let taker = cluster.nodes[2].system
            let epochs = try await #require(taker.leases).acquire(slots, for: taker.identity)
            let sending = Task { try await cluster.nodes[0].say("lost", in: scene.channel, as: scene.sender) }
            await waitFor(["lost"], in: scene, at: client)
            for other in 1...2 { cluster.network.cut(cluster.nodes[0].id, cluster.nodes[other].id) }
            await cluster.nodes[2].system.gained(epochs)
            cluster.tellOthers(of: slots, ownedBy: cluster.nodes[2])
            // Nobody says anything in it.
            await client.until { dispatches, _, closed in
                closed != nil || dispatches.contains { $0.kind == .messageDelete }
            }
            #expect(client.closed == nil)
            #expect(client.count(.messageDelete) == 1)
            // Its sender waits for a way to the new owner, and then it is what was sent.
            cluster.network.heal(cluster.nodes[0].id, cluster.nodes[2].id)
            _ = try await sending.value
            await client.until { dispatches, _, closed in
                closed != nil || dispatches.filter { $0.body["content"]?.stringValue == "lost" }.count == 2
            }
            #expect(client.contents(of: scene.channel) == ["kept", "lost", "lost"])
            #expect(client.closed == nil)
        }
    }

    @Test func whatADeadOwnerCommittedAndToldNobodyIsTold() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await scene(in: cluster, at: 0, readerAt: 1)
            let client = try await cluster.nodes[1].connect(scene.reader)
            try await cluster.nodes[0].say("seen", in: scene.channel, as: scene.sender)
            await waitFor(["seen"], in: scene, at: client)
            cluster.network.cut(cluster.nodes[0].id, cluster.nodes[1].id)
            try await cluster.nodes[0].say("unseen", in: scene.channel, as: scene.sender)
            try await cluster.takeOver(from: 0, by: 2)
            await waitFor(["unseen"], in: scene, at: client)
            #expect(client.contents(of: scene.channel) == ["seen", "unseen"])
            #expect(client.closed == nil)
        }
    }
}
