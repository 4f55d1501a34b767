import FluxCore
import Testing

@testable import FluxRealtime

/// Sessions while messages arrive at full speed: built, cut, moved, taken over. Nothing may be lost, repeated or out of order (I6).
@Suite(.serialized) struct SessionLoadTests {
    private func conversation(of one: Caller, with other: Caller, _ node: TestNode) async throws -> ChannelID {
        let reply = try await node.realtime.perform(
            UserCommand(
                caller: one, operation: .openDirectMessage,
                body: ["recipient_id": .string(other.userID.description)]))
        return try #require(try JSON.parse(reply.body)["id"]?.snowflakeValue)
    }

    @Test func sessionsBuiltUnderLoadMissNothingOfGuildsAndConversations() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let member = try await node.person("member")
            let guild = try await node.guild(of: owner)
            let second = try await node.guild(of: owner)
            try await node.join(member, guild, by: owner)
            try await node.join(member, second, by: owner)
            let direct = try await conversation(of: owner, with: member, node)
            let places = [guild.channel, second.channel, direct]
            let clients = try await Traffic.run(by: owner, in: places, on: node, senders: 6) { traffic in
                try await traffic.flow(50)
                let clients = try await withThrowingTaskGroup(of: [TestClient].self) { group in
                    for loop in [0, 1, 0, 1] {
                        group.addTask {
                            var clients: [TestClient] = []
                            for number in 0..<20 {
                                clients.append(
                                    try await node.connect(number.isMultiple(of: 2) ? owner : member, loop: loop))
                            }
                            return clients
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                try await traffic.flow(50)
                return clients
            }
            #expect(clients.count == 80)
            var ends: [ChannelID: Int] = [:]
            for place in places {
                ends[place] = try await node.say("end", in: place, as: owner)["seq"]?.intValue
            }
            for client in clients {
                for place in places {
                    await client.until { dispatches, _, _ in
                        dispatches.contains {
                            $0.body["channel_id"]?.snowflakeValue == place && $0.body["content"]?.stringValue == "end"
                        }
                    }
                }
                var audit = SessionAudit()
                audit.feed(client.dispatches)
                #expect(audit.breaches == [])
                for place in places { #expect(audit.lastSeq(of: place) == ends[place]) }
            }
        }
    }

    /// What became of one session over all its connections.
    private struct Journey {
        var audit = SessionAudit()
        var identifier = ""
        var last: UInt64 = 0

        /// The client has taken in what came over this connection.
        mutating func took(_ client: TestClient) {
            #expect(client.broken == nil)
            audit.feed(client.dispatches)
            last = client.lastSequence
        }
    }

    @Test func twentyCutsUnderLoadLoseNothing() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let member = try await node.person("member")
            let guild = try await node.guild(of: owner)
            try await node.join(member, guild, by: owner)
            let direct = try await conversation(of: owner, with: member, node)
            try await Traffic.run(by: owner, in: [guild.channel, direct], on: node) { traffic in
                var client = try await node.connect(member, loop: 0)
                var journey = Journey(identifier: client.sessionID)
                for cut in 1...20 {
                    try await traffic.flow(cut % 4 * 10)
                    await client.drop()
                    // Nothing more comes over a link that is gone.
                    journey.took(client)
                    let seen = client.dispatches.count
                    if cut.isMultiple(of: 3) { try await traffic.flow(20) }
                    #expect(client.dispatches.count == seen)
                    client = TestClient(node: node, caller: member, loop: cut * 7 / 2 % 2)
                    try await client.resume(journey.identifier, after: journey.last)
                    await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .resumed } }
                }
                let end = try await node.say("end", in: guild.channel, as: owner)["seq"]?.intValue
                await client.until { dispatches, _, _ in
                    dispatches.contains { $0.body["content"]?.stringValue == "end" }
                }
                journey.took(client)
                #expect(journey.audit.breaches == [])
                #expect(journey.audit.kinds[.resumed] == 20)
                #expect(journey.audit.lastSeq(of: guild.channel) ?? 0 >= end ?? .max)
            }
        }
    }

    /// The next RESUME comes before the session has caught up on the loop to which the last one took it.
    @Test func aSessionMayMoveOnWhileItStillMoves() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            try await Traffic.run(by: owner, in: [guild.channel], on: node) { traffic in
                try await traffic.flow(20)
                let first = try await node.connect(owner, loop: 0)
                await first.drop()
                var journey = Journey(identifier: first.sessionID)
                journey.took(first)
                for round in 0..<40 {
                    let clients = (0..<4).map { TestClient(node: node, caller: owner, loop: ($0 + round) % 2) }
                    let (identifier, last) = (journey.identifier, journey.last)
                    // All at once, all from the same place: whoever comes last has it, nobody is refused.
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for client in clients {
                            group.addTask { try await client.resume(identifier, after: last) }
                        }
                        try await group.waitForAll()
                    }
                    var holder: TestClient?
                    while holder == nil {
                        let open = clients.filter { $0.closed == nil }
                        if open.count == 1 { holder = open[0] } else { try await Task.sleep(for: .milliseconds(1)) }
                    }
                    let current = try #require(holder)
                    await current.until { dispatches, _, _ in dispatches.contains { $0.kind == .resumed } }
                    await current.drop()
                    // RESUMED of those that were replaced is part of what the last one was told.
                    journey.took(current)
                    for client in clients where client !== current { #expect(client.closed == .unknownError) }
                }
                #expect(journey.audit.breaches == [])
            }
        }
    }

    @Test(arguments: [0, 1])
    func theLaterConnectionWinsUnderLoad(onLoop loop: Int) async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            try await Traffic.run(by: owner, in: [guild.channel], on: node) { traffic in
                var client = try await node.connect(owner, loop: 0)
                let identifier = client.sessionID
                var audit = SessionAudit()
                var fed = 0
                for _ in 1...10 {
                    try await traffic.flow(10)
                    let next = TestClient(node: node, caller: owner, loop: loop)
                    // The old link looks alive and gets events until it is replaced; the client has some of them.
                    let known = Array(client.dispatches.dropFirst(fed))
                    audit.feed(known)
                    let last = known.last?.sequence ?? 0
                    try await next.resume(identifier, after: max(last, 1))
                    await client.until { _, _, closed in closed != nil }
                    #expect(client.closed == .unknownError)
                    let count = client.dispatches.count
                    try await traffic.flow(10)
                    #expect(client.dispatches.count == count)
                    #expect(next.closed == nil)
                    client = next
                    fed = 0
                }
                await client.drop()
                audit.feed(client.dispatches.dropFirst(fed))
                #expect(audit.breaches == [])
                #expect(client.broken == nil)
            }
        }
    }

    @Test func aGuildThatIsJoinedDuringAMoveIsShownOnce() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let member = try await node.person("member")
            let home = try await node.guild(of: owner)
            try await node.join(member, home, by: owner)
            var client = try await node.connect(member, loop: 0)
            var journey = Journey(identifier: client.sessionID)
            for round in 0..<20 {
                let guild = try await node.guild(of: owner)
                let last = client
                let next = TestClient(node: node, caller: member, loop: (round + 1) % 2)
                // The join and the resume run into each other.
                async let joining: Void = node.join(member, guild, by: owner)
                await last.drop()
                journey.took(last)
                try await next.resume(journey.identifier, after: journey.last)
                try await joining
                // What was said before the guild was shown is part of what was shown, and does not come as an event.
                await next.until { dispatches, _, _ in
                    dispatches.contains { $0.kind == .guildCreate && $0.body["id"]?.snowflakeValue == guild.id }
                }
                try await node.say("hello \(round)", in: guild.channel, as: owner)
                await next.until { dispatches, _, _ in
                    dispatches.contains { $0.body["content"]?.stringValue == "hello \(round)" }
                }
                client = next
            }
            await client.drop()
            journey.took(client)
            #expect(journey.audit.breaches == [])
            #expect(journey.audit.kinds[.guildCreate] == 20)
        }
    }
}
