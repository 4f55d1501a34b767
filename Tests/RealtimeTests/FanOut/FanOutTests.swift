import FluxCluster
import FluxCore
import NIOConcurrencyHelpers
import Testing

@testable import FluxRealtime

/// The cost of a message does not grow with its receivers (design 7): counted exactly, with a thousand sessions.
@Suite(
    .serialized, .enabled(if: TestCluster.defaultCount == 1, "what one node does is counted")
) struct FanOutTests {
    private static let loops = 4

    private struct Counts: Equatable {
        var bodies: UInt64
        var batches: UInt64
        var hops: Int
    }

    private func counts(_ node: TestNode) async -> Counts {
        let batches = await node.realtime.census().batches
        return Counts(
            bodies: node.realtime.measurements.bodiesEncoded, batches: batches, hops: node.mesh.hops)
    }

    /// Waits until nothing is on its way any more: the counts stand still.
    private func quiet(_ node: TestNode) async throws -> Counts {
        var last = await counts(node)
        var still = 0
        while still < 10 {
            try await Task.sleep(for: .milliseconds(20))
            let now = await counts(node)
            still = now == last ? still + 1 : 0
            last = now
        }
        return last
    }

    private func audience(_ node: TestNode) async throws -> (GuildID, ChannelID, Caller, Listeners) {
        let owner = try await node.person("owner")
        let guild = try await node.guild(of: owner)
        var callers = [owner]
        for number in 1..<20 {
            let member = try await node.person("member\(number)")
            try await node.join(member, guild, by: owner)
            callers.append(member)
        }
        let listeners = try await Listeners.open(50, of: callers, on: node)
        return (guild.id, guild.channel, owner, listeners)
    }

    /// Runs work on the loop where the guild and its channels live, in one turn.
    private func onHome(of guild: GuildID, _ node: TestNode, _ work: @escaping @Sendable (EngineLoop) -> Void) {
        node.realtime.services.run(on: node.mesh.index(of: Slot(of: guild)), work)
    }

    @Test func aThousandSessionsCostOneEncodeAndOneHopForEachLoop() async throws {
        try await TestNode.run(loops: Self.loops) { node in
            let (guild, channel, owner, listeners) = try await audience(node)
            try await node.say("warm", in: channel, as: owner)
            try await listeners.until(deliveries: 1000)

            // One message over the whole path: decided, encoded, committed, shown.
            var before = try await quiet(node)
            try await node.say("one", in: channel, as: owner)
            try await listeners.until(deliveries: 2000)
            var after = try await quiet(node)
            #expect(after.bodies - before.bodies == 1)
            #expect(after.batches - before.batches == UInt64(Self.loops))
            #expect(listeners.copies.sorted() == [1000, 1000], "every session got the same object, once")

            // A burst that is decided in one turn: a hundred encodes, and still one batch for each loop.
            before = try await quiet(node)
            onHome(of: guild, node) { loop in
                let address = ChannelLocation(guildID: guild).address(of: channel)
                for number in 0..<100 {
                    let request = SendRequest(
                        caller: owner, body: ["content": .string("b\(number)"), "nonce": .string("b\(number)")])
                    loop.services.system.invoke(ChannelCalls.send, on: address, request, replyOn: loop.index) { _ in }
                }
            }
            try await listeners.until(deliveries: 102_000)
            after = try await quiet(node)
            #expect(after.bodies - before.bodies == 100)
            #expect(after.batches - before.batches == UInt64(Self.loops))
            #expect(listeners.copies.count == 102)
            #expect(listeners.copies.allSatisfy { $0 == 1000 })
        }
    }

    /// With the lanes left out, so that nothing else crosses: the hops themselves.
    @Test(arguments: [1, 100]) func whatIsPublishedInOneTurnCrossesOnceToEachOtherLoop(messages: Int) async throws {
        try await TestNode.run(loops: Self.loops) { node in
            let (guild, channel, _, listeners) = try await audience(node)
            _ = try await quiet(node)
            let hopsAtStart = NIOLockedValueBox(0)
            onHome(of: guild, node) { loop in
                // The hop that brought this closure here is counted already.
                let hops = loop.services.mesh.hops
                hopsAtStart.withLockedValue { $0 = hops }
                for number in 0..<messages {
                    loop.guilds[guild]?.publish(
                        GuildEvent(
                            .messageCreate, body: Array("{\"n\":\(number)}".utf8), audience: .viewers(of: channel)))
                }
            }
            try await listeners.until(deliveries: messages * 1000)
            let after = try await quiet(node)
            #expect(after.hops - hopsAtStart.withLockedValue { $0 } == Self.loops - 1)
            #expect(listeners.copies.count == messages)
            #expect(listeners.copies.allSatisfy { $0 == 1000 })
        }
    }
}
