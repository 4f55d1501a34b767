import FluxCore
import Testing

/// Postgres goes away and comes back (design 6): people go on talking, nothing is acknowledged that is not durable, and
/// what waits too long is taken back in so many words.
@Suite struct OutageTests {
    @Test func anOutageOfTenSecondsIsWaitedOut() async throws {
        try await withNodeAndPostgres { node, postgres in
            let talk = try await Talk(on: node)
            try await talk.say("before")
            try await postgres.stop()

            let answer = Task { try await talk.post("by REST") }
            talk.sender.sendMessage("by socket", to: talk.channel, nonce: "s1")
            try await talk.listener.waitForMessages(3, in: talk.channel)
            _ = try await eventually("the node to notice") {
                try await node.reasonsAgainstReadiness() == ["postgres"] ? true : nil
            }
            try await Task.sleep(for: .seconds(10))
            #expect(talk.sender.acknowledgedNonces == ["before"], "acknowledged without Postgres")

            try await postgres.restart()
            #expect(try await answer.value.status == 200)
            #expect(try await talk.sender.acknowledgement(of: "s1").errorCode == nil)
            try await node.waitUntilReady()
            try await talk.say("after")
            try await talk.listener.waitForMessages(4, in: talk.channel)
            let log = try await ChannelLog.read(talk.channel, with: talk.client)
            #expect(log.violations(of: SendLedger()) == [])
            #expect(log.messages.map(\.id) == talk.heard)
            #expect(log.messages.count == 4)
            #expect(talk.listener.violations + talk.sender.violations == [])
        }
    }

    @Test func whatWaitsTooLongIsTakenBack() async throws {
        try await withNodeAndPostgres { node, postgres in
            let talk = try await Talk(on: node)
            try await talk.say("before")
            try await postgres.stop()

            async let answer = talk.post("too late")
            talk.sender.sendMessage("too late as well", to: talk.channel, nonce: "s1")
            try await talk.listener.waitForMessages(3, in: talk.channel)
            let refusal = try await answer
            #expect(refusal.status == 503)
            #expect(refusal.code == 130_000)
            #expect(refusal.headers["Retry-After"].first.flatMap { Int($0) } ?? 0 >= 1)
            #expect(try await talk.sender.acknowledgement(of: "s1").errorCode == 130_000)
            try await postgres.restart()
            try await node.waitUntilReady()
            // Everybody is told that neither stands.
            let shown = talk.heard.dropFirst()
            for id in shown {
                try await talk.listener.dispatch("the deletion of \(id)") {
                    $0.kind == "MESSAGE_DELETE" && $0.data["id"]?.stringValue == id
                }
            }
            // The nonce of what was taken back is free.
            talk.sender.forgetAcknowledgement(of: "s1")
            let again = try await talk.sender.sendMessageAndWait("in time", to: talk.channel, nonce: "s1")
            #expect(again.errorCode == nil)
            let log = try await ChannelLog.read(talk.channel, with: talk.client)
            #expect(log.violations(of: SendLedger(), allowingVoids: true) == [])
            #expect(log.messages.map(\.nonce) == ["before", "s1"])
            #expect(log.entries.values.count { $0.kind == "MESSAGE_DELETE" } == 2)
            #expect(talk.listener.violations + talk.sender.violations == [])
        }
    }
}

/// One who speaks and one who listens.
private struct Talk: Sendable {
    let channel: String
    let client: HTTPClient
    let sender: GatewayClient
    let listener: GatewayClient

    init(on node: NodeProcess) async throws {
        let population = try await Population.make(on: node, people: 2)
        guard let channel = population.channels.first else { throw HarnessError("no channel") }
        self.channel = channel
        client = node.client(population.people[0])
        sender = node.gateway(population.people[0])
        listener = node.gateway(population.people[1])
        try await sender.identify()
        try await listener.identify()
    }

    /// Says something that is acknowledged; the text is the nonce.
    func say(_ text: String) async throws {
        let answer = try await sender.sendMessageAndWait(text, to: channel, nonce: text)
        guard answer.errorCode == nil else { throw HarnessError("\(text) was refused: \(answer.body)") }
    }

    func post(_ text: String) async throws -> HTTPClient.Response {
        try await client.send(.POST, "/api/v10/channels/\(channel)/messages", ["content": .string(text)])
    }

    /// The ids of the messages that the listener was told of.
    var heard: [String] { listener.messages(in: channel).compactMap { $0.data["id"]?.stringValue } }
}

/// Runs a test with a node and a Postgres that can be stopped by itself.
private func withNodeAndPostgres(_ test: (NodeProcess, PostgresProcess) async throws -> Void) async throws {
    try await withPostgres { postgres in
        try await withNode(.init(databaseURL: postgres.url)) { node in try await test(node, postgres) }
    }
}
