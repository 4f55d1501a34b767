import FluxCore
import NIOConcurrencyHelpers
import Synchronization
import Testing

/// Sessions of a real node over real sockets, under load: connections that break, clients that do not read or do not beat,
/// members who are removed (I6, I7, I8).
@Suite(.serialized, .timeLimit(.minutes(10))) struct SessionTests {
    /// How a connection is asked for.
    enum Kind: String, CaseIterable {
        case plain, compressed, batched, compressedAndBatched

        func options(receiveBuffer: Int? = nil, isSilent: Bool = false) -> GatewayClient.Options {
            GatewayClient.Options(
                isCompressed: self == .compressed || self == .compressedAndBatched,
                isBatched: self == .batched || self == .compressedAndBatched, receiveBuffer: receiveBuffer,
                isSilent: isSilent)
        }
    }

    /// Messages without a pause, by several senders, as long as a closure runs: each by REST and waiting for the answer, or
    /// over a socket, many at a time.
    private final class Load: Sendable {
        /// Sends over a socket that are under way at a time.
        private static let window = 40

        private let isOver = Atomic<Bool>(false)
        private let total = Atomic<Int>(0)
        var sent: Int { total.load(ordering: .relaxed) }

        static func run<Value: Sendable>(
            on node: NodeProcess, by person: Population.Person, in channel: String, senders: Int = 6,
            overSockets: Bool = false, length: Int = 20, _ body: (Load) async throws -> Value
        ) async throws -> Value {
            let load = Load()
            return try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in 0..<senders {
                    group.addTask {
                        if overSockets {
                            try await load.flood(node.gateway(person), lane, channel, length)
                        } else {
                            try await load.post(node.client(person), lane, channel, length)
                        }
                    }
                }
                let result: Result<Value, any Error>
                do { result = .success(try await body(load)) } catch { result = .failure(error) }
                load.isOver.store(true, ordering: .relaxed)
                try await group.waitForAll()
                return try result.get()
            }
        }

        private func post(_ client: HTTPClient, _ lane: Int, _ channel: String, _ length: Int) async throws {
            defer { client.close() }
            var number = 0
            while !isOver.load(ordering: .relaxed) {
                number += 1
                let answer = try await client.send(
                    .POST, "/api/v10/channels/\(channel)/messages",
                    ["content": .string("\(lane).\(number) " + Self.noise(length))])
                guard answer.status == 200 else {
                    throw HarnessError("a message was answered \(answer.status) \(answer.text)")
                }
                total.wrappingAdd(1, ordering: .relaxed)
            }
        }

        private func flood(_ client: GatewayClient, _ lane: Int, _ channel: String, _ length: Int) async throws {
            try await client.identify()
            var number = 0
            while !isOver.load(ordering: .relaxed) {
                for _ in 0..<Self.window {
                    number += 1
                    client.sendMessage(
                        "\(lane).\(number) " + Self.noise(length), to: channel, nonce: "\(lane).\(number)")
                }
                // Acknowledgements come in the order of the sends.
                let last = try await client.acknowledgement(of: "\(lane).\(number)")
                guard last.errorCode == nil else { throw HarnessError("a send was answered \(last.body)") }
                total.wrappingAdd(Self.window, ordering: .relaxed)
            }
            try await client.close()
        }

        /// Text that hardly compresses.
        private static func noise(_ length: Int) -> String {
            String(String.UnicodeScalarView((0..<length).map { _ in Unicode.Scalar(UInt8.random(in: 0x23...0x5B)) }))
        }

        /// Waits until so many more messages were acknowledged.
        func flow(_ count: Int) async throws {
            let aim = sent + count
            while sent < aim { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    /// Sends a last message and waits until everyone has it; then each has had every one of the channel, in order.
    private func finish(
        _ clients: [GatewayClient], _ node: NodeProcess, by person: Population.Person, in channel: String
    ) async throws {
        let sender = node.client(person)
        defer { sender.close() }
        let last = try await sender.send(.POST, "/api/v10/channels/\(channel)/messages", ["content": "the end"])
        let seq = try #require(last.body["seq"]?.intValue)
        for client in clients {
            try await client.dispatch("the last message") {
                $0.data["content"]?.stringValue == "the end" && $0.data["channel_id"]?.stringValue == channel
            }
            let seqs = client.messages(in: channel).compactMap { $0.data["seq"]?.intValue }
            #expect(seqs == Array(1...seq), "\(seqs.count) of \(seq)")
            #expect(client.violations == [])
        }
    }

    @Test(arguments: Kind.allCases) func brokenConnectionsAreResumedUnderLoad(kind: Kind) async throws {
        try await withNode { node in
            let population = try await Population.make(on: node, people: 3)
            let channel = try #require(population.channels.first)
            let client = node.gateway(population.people[1], kind.options())
            let witness = node.gateway(population.people[2])
            try await client.identify()
            try await witness.identify()
            try await Load.run(on: node, by: population.people[0], in: channel) { load in
                for round in 0..<12 {
                    try await load.flow(25)
                    // With data in flight, at once, and after a while without a connection.
                    if round.isMultiple(of: 2) { try await client.resetTCP() } else { client.dropTCP() }
                    if round.isMultiple(of: 3) { try await load.flow(40) }
                    try await client.resume()
                }
                // Over the old connection, which looks alive.
                let before = client.dispatches.count
                try await client.resume()
                #expect(client.dispatches.count > before)
            }
            try await finish([client, witness], node, by: population.people[0], in: channel)
            #expect(client.dispatches.count { $0.kind == "RESUMED" } == 13)
            #expect(client.dispatches.count { $0.kind == "READY" } == 1)
        }
    }

    @Test(arguments: Kind.allCases) func aClientThatDoesNotReadIsClosedAndResumes(kind: Kind) async throws {
        try await withNode { node in
            let population = try await Population.make(on: node, people: 4)
            let channel = try #require(population.channels.first)
            let slow = node.gateway(population.people[1], kind.options(receiveBuffer: 4096))
            let others = [node.gateway(population.people[2]), node.gateway(population.people[3], kind.options())]
            try await slow.identify()
            for other in others { try await other.identify() }
            // While a session opens more may wait for its client.
            try await Task.sleep(for: .seconds(11))
            try await Load.run(
                on: node, by: population.people[0], in: channel, senders: 4, overSockets: true, length: 1900
            ) { load in
                try await load.flow(20)
                slow.send(1, JSON(slow.lastSequence ?? 0))
                try await slow.stopReading()
                _ = try await eventually("the slow client to be closed", within: .seconds(300)) {
                    () async throws -> Bool? in
                    let closed = try await node.metric("flux_gateway_slow_consumers_total") ?? 0
                    return closed >= 1 ? true : nil
                }
                for other in others { #expect(other.isConnected) }
                try await load.flow(10)
                try await slow.resetTCP()
                try await slow.resume()
            }
            try await finish([slow] + others, node, by: population.people[0], in: channel)
            #expect(slow.dispatches.count { $0.kind == "RESUMED" } == 1)
            // Nobody else had to come back.
            for other in others { #expect(!other.dispatches.contains { $0.kind == "RESUMED" }) }
            #expect(try await node.metric("flux_gateway_slow_consumers_total") == 1)
        }
    }

    @Test func aClientWithoutAHeartIsClosedAndResumes() async throws {
        try await withNode { node in
            let population = try await Population.make(on: node, people: 3)
            let channel = try #require(population.channels.first)
            let silent = node.gateway(population.people[1], Kind.plain.options(isSilent: true))
            let lively = node.gateway(population.people[2])
            try await silent.identify()
            try await lively.identify()
            try await Load.run(on: node, by: population.people[0], in: channel, senders: 1) { load in
                _ = try await eventually("the end of the silent connection", within: .seconds(180)) {
                    () async throws -> Bool? in
                    silent.closeCode != nil ? true : nil
                }
                #expect(silent.closeCode == 4009)
                #expect(lively.isConnected)
                try await load.flow(20)
                try await silent.resume()
            }
            try await finish([silent, lively], node, by: population.people[0], in: channel)
            #expect(silent.dispatches.count { $0.kind == "RESUMED" } == 1)
        }
    }

    @Test(arguments: Kind.allCases) func nothingFollowsAKickOverSockets(kind: Kind) async throws {
        try await withNode { node in
            let population = try await Population.make(on: node, people: 3, channels: 2)
            let (owner, member) = (population.people[0], population.people[1])
            let guild = try #require(population.guilds.first)
            let channel = try #require(population.channels.first)
            let clients = [
                node.gateway(member, kind.options()), node.gateway(member, kind.options()), node.gateway(member),
                node.gateway(member),
            ]
            let witness = node.gateway(population.people[2], kind.options())
            for client in clients + [witness] { try await client.identify() }
            let admin = node.client(owner)
            defer { admin.close() }
            let removed = NIOLockedValueBox(0)
            try await Load.run(on: node, by: owner, in: channel) { load in
                try await load.flow(50)
                let answer = try await admin.send(.DELETE, "/api/v10/guilds/\(guild)/members/\(member.id)")
                #expect(answer.status == 204)
                // Begun after the answer: no session of the member's may hear of it.
                let marked = try await admin.send(
                    .POST, "/api/v10/channels/\(channel)/messages", ["content": "behind their back"])
                #expect(marked.status == 200)
                removed.withLockedValue { $0 = marked.body["seq"]?.intValue ?? 0 }
                for client in clients { client.sendMessage("let me in", to: channel, nonce: "late") }
                let own = node.client(member)
                let refused = try await own.send(
                    .POST, "/api/v10/channels/\(channel)/messages", ["content": "let me in"])
                #expect(refused.status == 403 && refused.code == 50001)
                own.close()
                try await load.flow(50)
            }
            for client in clients {
                #expect(try await client.acknowledgement(of: "late").errorCode == 50001)
                let end = try await client.dispatch("GUILD_DELETE") { $0.kind == "GUILD_DELETE" }
                // The connection is asked for a last word, so that whatever was wrongly sent is here.
                let direct = try await node.conversation(of: owner, with: member)
                _ = try await client.sendMessageAndWait("fence", to: direct, nonce: "fence\(end.sequence)")
                let late = client.dispatches.filter {
                    $0.sequence > end.sequence && $0.data["guild_id"]?.stringValue == guild
                }
                #expect(late.isEmpty, "\(late.map(\.kind))")
                let seqs = client.messages(in: channel).compactMap { $0.data["seq"]?.intValue }
                #expect(seqs == Array(1..<(seqs.count + 1)) && seqs.count < removed.withLockedValue { $0 })
                #expect(client.violations == [])
            }
            try await finish([witness], node, by: owner, in: channel)
        }
    }
}
