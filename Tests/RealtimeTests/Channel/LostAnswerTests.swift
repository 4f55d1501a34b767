import FluxCluster
import FluxCore
import FluxStore
import Testing

@testable import FluxRealtime

/// The owner has carried out what it was asked for, and its answer is lost with the link: the edge asks again, and the command has
/// been carried out once (I4).
@Suite struct LostAnswerTests {
    private struct Scene {
        let cluster: TestCluster
        let owner: Caller
        let guild: (id: GuildID, channel: ChannelID)
        let home: TestNode
        let edge: TestNode

        func perform(_ operation: ChannelOperation, body: JSON = .null) async throws -> CommandReply {
            try await edge.realtime.perform(
                ChannelCommand(
                    caller: owner, idempotencyKey: .random(in: 1 ... .max), operation: operation, body: body),
                on: guild.channel)
        }

        /// Performs something whose answer gets lost once it is carried out, and gives what the second try is answered.
        func losingTheAnswer(
            of command: @escaping @Sendable () async throws -> CommandReply, whenDone: () async throws -> Bool
        ) async throws -> CommandReply {
            cluster.network.drop(from: home.id, to: edge.id)
            let reply = Task { try await command() }
            try await eventually("it is carried out", whenDone)
            cluster.network.cut(home.id, edge.id)
            cluster.network.heal(home.id, edge.id)
            return try await reply.value
        }

        func stored() async throws -> [Message] {
            try await Messages(edge.database).history(.newest, in: guild.channel, guildID: guild.id, limit: 100)
        }
    }

    private func run(_ test: (Scene) async throws -> Void) async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let owner = try await cluster.nodes[0].person("owner")
            let guild = try await cluster.nodes[0].guild(of: owner)
            let isFirst = cluster.nodes[0].system.owns(Slot(of: guild.id))
            let (home, edge) = isFirst ? (cluster.nodes[0], cluster.nodes[1]) : (cluster.nodes[1], cluster.nodes[0])
            let scene = Scene(cluster: cluster, owner: owner, guild: guild, home: home, edge: edge)
            try await scene.edge.say("first", in: guild.channel, as: owner)
            try await test(scene)
        }
    }

    @Test func aMessageIsOneMessage() async throws {
        try await run { scene in
            let reply = try await scene.losingTheAnswer {
                try await scene.perform(.send(attachments: []), body: ["content": "once"])
            } whenDone: {
                try await scene.stored().count == 2
            }
            let stored = try await scene.stored()
            #expect(stored.map(\.content) == ["once", "first"])
            #expect(try JSON.parse(reply.body)["id"]?.snowflakeValue == stored.first?.id)
        }
    }

    @Test func aMessageOverTheGatewayIsOneMessage() async throws {
        try await run { scene in
            let client = try await scene.edge.connect(scene.owner)
            scene.cluster.network.drop(from: scene.home.id, to: scene.edge.id)
            for number in 0..<20 { client.send("m\(number)", to: scene.guild.channel, nonce: "n\(number)") }
            try await eventually("they are stored") { try await scene.stored().count == 21 }
            #expect(client.acknowledgements.isEmpty)
            scene.cluster.network.cut(scene.home.id, scene.edge.id)
            scene.cluster.network.heal(scene.home.id, scene.edge.id)
            await client.until { _, acknowledgements, closed in closed != nil || acknowledgements.count == 20 }
            #expect(client.acknowledgements.map { $0["nonce"]?.stringValue } == (0..<20).map { "n\($0)" })
            let stored = try await scene.stored()
            #expect(
                client.acknowledgements.map { $0["id"]?.snowflakeValue } == stored.reversed().dropFirst().map(\.id))
        }
    }

    @Test func aDeletionIsAnsweredAsOne() async throws {
        try await run { scene in
            let message = try #require(try await scene.stored().first).id
            let reply = try await scene.losingTheAnswer {
                try await scene.perform(.delete(message))
            } whenDone: {
                try await scene.stored().isEmpty
            }
            #expect(reply == .nothing)
            // One that is asked for once is told the truth.
            await #expect(throws: APIError.unknownMessage) { _ = try await scene.perform(.delete(message)) }
            // So is a repeat for a message that never was.
            scene.cluster.network.drop(from: scene.home.id, to: scene.edge.id)
            let unknown = Task { try await scene.perform(.delete(MessageID(message.rawValue - 1))) }
            try await eventually("it is under way") { await scene.edge.system.outstandingCallCount() > 0 }
            scene.cluster.network.cut(scene.home.id, scene.edge.id)
            scene.cluster.network.heal(scene.home.id, scene.edge.id)
            await #expect(throws: APIError.unknownMessage) { _ = try await unknown.value }
        }
    }

    @Test func anEditKeepsItsFilesOnce() async throws {
        try await run { scene in
            let message = try #require(try await scene.stored().first).id
            let file = Attachment(id: Snowflake(77), filename: "a.txt", size: 1, contentType: "text/plain")
            let reply = try await scene.losingTheAnswer {
                try await scene.perform(.edit(message, attachments: [file]), body: ["content": "edited"])
            } whenDone: {
                try await scene.stored().first?.content == "edited"
            }
            #expect(try JSON.parse(reply.body)["attachments"]?.arrayValue?.count == 1)
            #expect(try await scene.stored().first?.attachments == [file])
        }
    }
}
