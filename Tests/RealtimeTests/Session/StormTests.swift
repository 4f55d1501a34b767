import FluxCore
import FluxStore
import Testing

@testable import FluxRealtime

/// Thousands of sessions come back at once: Postgres is asked by the batch, not by the session (design 8).
@Suite(.serialized, .timeLimit(.minutes(5))) struct StormTests {
    private static let people = 1_000
    private static let guilds = 20
    /// What a guild asks of Postgres when it wakes, however many of its members come.
    private static let callsOfAGuild = 5

    @Test func aThousandSessionsCostAFewQueries() async throws {
        try await TestNode.run { node in
            let callers = try await populate(node)
            for (round, guilds) in [("who were away", Self.guilds), ("whose actors are there", 0)] {
                let before = node.database.callCount
                let clients = try await storm(callers, on: node)
                let calls = node.database.callCount - before
                print("\(clients.count) sessions of people \(round): \(calls) calls to Postgres")
                #expect(clients.count == Self.people)
                #expect(clients.allSatisfy { $0.closed == nil && $0.broken == nil })
                #expect(clients.allSatisfy { $0.ready["guilds"]?.arrayValue?.count == 1 })
                #expect(calls > 0 && calls <= Self.people / 4 + guilds * Self.callsOfAGuild)
            }
        }
    }

    /// People who are in a guild each, none of whom anybody has asked for yet.
    private func populate(_ node: TestNode) async throws -> [Caller] {
        var ids: [Snowflake] = []
        for _ in 0..<(Self.people + 2 * Self.guilds) { ids.append(try node.realtime.mintID()) }
        let (guildIDs, rest) = (Array(ids[..<Self.guilds]), ids[Self.guilds...])
        let (channelIDs, userIDs) = (Array(rest.prefix(Self.guilds)), Array(rest.dropFirst(Self.guilds)))
        let provision = Provision(node.database)
        try await provision.insert(users: userIDs.map { User(id: $0, username: "storm\($0)") })
        try await provision.insert(
            guilds: zip(guildIDs, userIDs).map { Guild(id: $0, name: "Storm", ownerID: $1) },
            roles: guildIDs.map { Role(id: $0, guildID: $0, name: "@everyone", permissions: .everyoneDefault) },
            channels: zip(channelIDs, guildIDs).map { Channel(id: $0, kind: .text, guildID: $1, name: "general") })
        try await provision.insert(
            members: userIDs.enumerated().map { index, user in
                Member(userID: user, guildID: guildIDs[index % Self.guilds], joinedAt: .now())
            })
        return userIDs.map { Caller(userID: $0, isBot: false) }
    }

    private func storm(_ callers: [Caller], on node: TestNode) async throws -> [TestClient] {
        try await withThrowingTaskGroup(of: TestClient.self) { group in
            for (number, caller) in callers.enumerated() {
                group.addTask { try await node.connect(caller, loop: number % node.mesh.count) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

/// Questions that are gathered, without Postgres.
@Suite struct LookupQueueTests {
    @Test func whatComesMeanwhileIsAskedTogether() throws {
        var queue = LookupQueue<Int, String>(concurrent: 1, batchSize: 3, capacity: 10)
        #expect(queue.next() == nil)
        var isQueued = queue.add(1, "a")
        #expect(isQueued)
        let first = queue.next() ?? []
        #expect(first.map(\.key) == [1] && first.flatMap(\.waiters) == ["a"])
        // One that is under way is asked again: its answer may be older than the question.
        for (key, waiter) in [(1, "b"), (2, "c"), (1, "d"), (3, "e"), (4, "f")] {
            isQueued = queue.add(key, waiter)
            #expect(isQueued)
        }
        #expect(queue.next() == nil)
        queue.finished()
        let second = queue.next() ?? []
        #expect(second.map(\.key) == [1, 2, 3] && second.map(\.waiters) == [["b", "d"], ["c"], ["e"]])
        queue.finished()
        let third = queue.next() ?? []
        #expect(third.map(\.key) == [4])
        queue.finished()
        #expect(queue.next() == nil && queue.running == 0)
    }

    @Test func theQueueIsBounded() {
        var queue = LookupQueue<Int, Int>(concurrent: 2, batchSize: 2, capacity: 4)
        let areQueued = (0..<5).map { queue.add($0, $0) }
        #expect(areQueued == [true, true, true, true, false])
        let sizes = (0..<3).map { _ in queue.next()?.count }
        #expect(sizes == [2, 2, nil])
        let hasRoom = queue.add(9, 9)
        #expect(hasRoom)
    }
}
