import FluxCore
import NIOConcurrencyHelpers
import NIOHTTP1
import Testing

extension HeavyTests {
    /// Roles, channels, invites, pins, friendships and bans are made and ended without a pause while the owners of their guilds and
    /// people are killed, restarted, paused, drained and cut off: every request is answered as if nothing had been, and nothing is
    /// there twice or by halves (I4, I11).
    @Suite(.serialized, .timeLimit(.minutes(10))) struct ChangesUnderDeathTests {
        /// Changes one guild over and over, one request after the other, through a node that lives.
        private struct Worker: Sendable {
            let client: HTTPClient
            let guild: String
            let channel: String
            /// Two members who become friends and are not friends any more, of whom the first is banned and comes back.
            let people: [Population.Person]
            let clients: [HTTPClient]

            /// What has to be there in the end.
            struct Expectation: Sendable {
                var roles: Set<String> = []
                var channels: Set<String> = []
                var pins = 0
                var requests = 0
            }

            private func expect(
                _ status: Int, _ method: HTTPMethod, _ path: String, _ body: JSON? = nil,
                _ expectation: inout Expectation, as client: HTTPClient? = nil
            ) async throws -> JSON {
                let answer = try await (client ?? self.client).send(method, "/api/v10" + path, body)
                expectation.requests += 1
                #expect(answer.status == status, "\(method) \(path): \(answer.text)")
                return answer.body
            }

            private func id(_ body: JSON) throws -> String { try #require(body["id"]?.stringValue) }

            /// - Parameter isGoing: asked before each round.
            func run(while isGoing: () -> Bool) async throws -> Expectation {
                var all = Expectation()
                var round = 0
                while isGoing() {
                    round += 1
                    // What stays is little, because a guild holds 250 roles.
                    let stays = round.isMultiple(of: 20)
                    let name = "n\(round)"
                    let role = try id(await expect(200, .POST, "/guilds/\(guild)/roles", ["name": .string(name)], &all))
                    let made = try id(
                        await expect(201, .POST, "/guilds/\(guild)/channels", ["name": .string(name)], &all))
                    let invite = try await expect(200, .POST, "/channels/\(made)/invites", ["unique": true], &all)
                    let code = try #require(invite["code"]?.stringValue)
                    let message = try id(
                        await expect(200, .POST, "/channels/\(channel)/messages", ["content": .string(name)], &all))
                    _ = try await expect(204, .PUT, "/channels/\(channel)/pins/\(message)", nil, &all)
                    all.pins += 1
                    _ = try await expect(204, .DELETE, "/channels/\(channel)/pins/\(message)", nil, &all)
                    try await meet(inviting: code, &all)
                    _ = try await expect(200, .DELETE, "/invites/\(code)", nil, &all)
                    if stays {
                        all.roles.insert(name)
                        all.channels.insert(name)
                    } else {
                        _ = try await expect(204, .DELETE, "/guilds/\(guild)/roles/\(role)", nil, &all)
                        _ = try await expect(200, .DELETE, "/channels/\(made)", nil, &all)
                    }
                }
                return all
            }

            /// What touches several keys: a friendship is made by one and ended by the other, and a member is banned and comes back.
            private func meet(inviting code: String, _ all: inout Expectation) async throws {
                let path = "/users/@me/relationships/"
                for (own, other) in [(0, 1), (1, 0)] {
                    _ = try await expect(204, .PUT, path + people[other].id, [:], &all, as: clients[own])
                }
                let ban = "/guilds/\(guild)/bans/\(people[0].id)"
                _ = try await expect(204, .PUT, ban, [:], &all)
                _ = try await expect(204, .DELETE, ban, nil, &all)
                _ = try await expect(200, .POST, "/invites/\(code)", [:], &all, as: clients[0])
                _ = try await expect(204, .DELETE, path + people[0].id, nil, &all, as: clients[1])
            }

            /// What each of the two is to the other, and whether the guild has the member that has the guild.
            private func checkPeople() async throws {
                func kind(_ own: Int, _ other: Int) async throws -> Int? {
                    try await clients[own].send(.GET, "/api/v10/users/@me/relationships").body.arrayValue?
                        .first { $0["id"]?.stringValue == people[other].id }?["type"]?.intValue
                }
                // The word of the last change is on its way for a moment.
                _ = try await eventually("no half friendship is left") {
                    let kinds = (try await kind(0, 1), try await kind(1, 0))
                    return kinds == (nil, nil) ? true : nil
                }
                let guilds = try await clients[0].send(.GET, "/api/v10/users/@me/guilds").body.arrayValue
                #expect(guilds?.contains { $0["id"]?.stringValue == guild } == true)
                #expect(try await client.send(.GET, "/api/v10/guilds/\(guild)/members/\(people[0].id)").status == 200)
                #expect(try await client.send(.GET, "/api/v10/guilds/\(guild)/bans/\(people[0].id)").status == 404)
            }

            /// Compares what is there with what has to be.
            func check(_ expected: Expectation) async throws {
                func names(_ path: String) async throws -> [String] {
                    try await client.send(.GET, "/api/v10/guilds/\(guild)/\(path)").body.arrayValue?
                        .compactMap { $0["name"]?.stringValue }.filter { $0.hasPrefix("n") } ?? []
                }
                let (roles, channels) = (try await names("roles"), try await names("channels"))
                #expect(roles.count == expected.roles.count && Set(roles) == expected.roles)
                #expect(channels.count == expected.channels.count && Set(channels) == expected.channels)
                var pins = 0
                var before = ""
                while true {
                    let page = try await client.send(.GET, "/api/v10/channels/\(channel)/messages?limit=100\(before)")
                    guard let last = page.body.arrayValue?.last?["id"]?.stringValue else { break }
                    pins += page.body.arrayValue?.count { $0["type"]?.intValue == 6 } ?? 0
                    before = "&before=\(last)"
                }
                #expect(pins == expected.pins)
                try await checkPeople()
            }
        }

        @Test func everyChangeIsAnsweredAndMadeOnce() async throws {
            try await Self.change { cluster in
                try await cluster[2].kill()
                try await cluster.waitUntilWhole([0, 1])
                try await cluster.restart(2)
                try await cluster.waitUntilWhole()
                #expect(try await cluster[1].stop() == .exit(0))
                try await cluster.restart(1)
                try await cluster.waitUntilWhole()
                try await cluster[1].kill()
                try await cluster.waitUntilWhole([0, 2])
            }
        }

        /// Owners that live, and do not know that they are owners no longer.
        @Test func everyChangeIsAnsweredAndMadeOnceWhenNobodyDies() async throws {
            try await Self.change { cluster in
                cluster[2].pause()
                try await cluster.waitUntilWhole([0, 1])
                cluster[2].proceed()
                try await cluster.waitUntilBack(2)
                try await cluster.drain(1)
                try await cluster.undrain(1)
                try await cluster.waitUntilBack(1)
                cluster.isolate(2)
                try await cluster.waitUntilWhole([0, 1])
                cluster.network.mend()
                try await cluster.waitUntilBack(2)
                cluster.network.cut(.node(1), .postgres)
                try await cluster.waitUntilWhole([0, 2])
                cluster.network.mend()
                try await cluster.waitUntilBack(1)
            }
        }

        /// Changes eight guilds through the first of three nodes while something happens to the others.
        private static func change(while strike: (ClusterProcess) async throws -> Void) async throws {
            try await ClusterProcess.with(3) { cluster in
                let population = try await Population.make(on: cluster[0], people: 17, guilds: 8)
                let client = cluster[0].client(population.people[0])
                var workers: [Worker] = []
                for guild in population.guilds {
                    let channels = try await client.send(.GET, "/api/v10/guilds/\(guild)/channels").body.arrayValue
                    let channel = try #require(
                        channels?.compactMap { $0["id"]?.stringValue }
                            .first(where: population.channels.contains))
                    let people = Array(population.people[(1 + 2 * workers.count)...].prefix(2))
                    workers.append(
                        Worker(
                            client: client, guild: guild, channel: channel, people: people,
                            clients: people.map { cluster[0].client($0) }))
                }
                let isGoing = NIOLockedValueBox(true)
                let rounds = NIOLockedValueBox(0)
                let expectations = try await withThrowingTaskGroup(of: (Int, Worker.Expectation).self) { group in
                    for (number, worker) in workers.enumerated() {
                        group.addTask {
                            let expectation = try await worker.run {
                                rounds.withLockedValue { $0 += 1 }
                                return isGoing.withLockedValue { $0 }
                            }
                            return (number, expectation)
                        }
                    }
                    let faults = await Result {
                        _ = try await eventually("all workers to be at work") {
                            rounds.withLockedValue { $0 } >= 5 * workers.count ? true : nil
                        }
                        try await strike(cluster)
                    }
                    isGoing.withLockedValue { $0 = false }
                    try faults.get()
                    return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
                }
                for (number, worker) in workers.enumerated() {
                    try await worker.check(try #require(expectations[number]))
                }
                print("\(expectations.values.reduce(0) { $0 + $1.requests }) requests, all answered")
            }
        }
    }
}
