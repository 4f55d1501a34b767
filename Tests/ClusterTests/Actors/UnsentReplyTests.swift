import FluxCore
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import FluxCluster

/// Frames that a transport does not take, and what their callers hear instead.
@Suite struct UnsentReplyTests {
    /// Keeps what is sent, and refuses as the test wants.
    private final class ScriptedTransport: Transport {
        private struct State {
            var refusals: [TransportOutcome] = []
            var frames: [[UInt8]] = []
            var broken: [NodeID] = []
        }

        let dialect = WireDialect.own
        private let state = NIOLockedValueBox(State())

        var frames: [[UInt8]] { state.withLockedValue { $0.frames } }
        var broken: [NodeID] { state.withLockedValue { $0.broken } }

        /// The next frames come to this; later ones are accepted.
        func refuse(_ outcomes: TransportOutcome...) { state.withLockedValue { $0.refusals = outcomes } }

        func send(_ frame: [UInt8], over lane: TransportLane, to node: NodeID) -> TransportOutcome {
            state.withLockedValue { state in
                guard state.refusals.isEmpty else { return state.refusals.removeFirst() }
                state.frames.append(frame)
                return .accepted
            }
        }

        func breakLink(to node: NodeID) { state.withLockedValue { $0.broken.append(node) } }
        func version(of node: NodeID) -> WireVersion? { .current }
        func features(of node: NodeID) -> LinkFeatures? { .own }
        func attach(_ system: ClusterActorSystem) {}
    }

    private static let peer = NodeID(rawValue: 2)!

    /// A node with one loop that owns every slot.
    private func withNode(
        _ body: (ClusterActorSystem, ScriptedTransport) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let transport = ScriptedTransport()
        let system = ClusterActorSystem(
            identity: NodeIdentity(name: "node-1", id: NodeID(rawValue: 1)!, incarnation: 1),
            mesh: LoopMesh(group: group), transport: transport, leases: InMemoryLeases())
        let journal = Journal()
        system.register(Counter.kind) { _, epoch, _ in Counter(actorSystem: system, epoch: epoch, journal: journal) }
        system.register(Counter.add) { counter, value, respond in respond(counter.add(value)) }
        system.register(Counter.refuse) { _, _, respond in respond.refuse(Refusal(reason: "no")) }
        try await system.start()
        try await body(system, transport)
        try await system.stop()
        try await group.shutdownGracefully()
    }

    /// A call of the peer to a counter here.
    private func receive<Arguments, Reply>(
        _ call: Call<Counter, Arguments, Reply>, _ arguments: Arguments, token: UInt64, by system: ClusterActorSystem
    ) throws {
        var writer = WireWriter(version: .current)
        ClusterFrame.call(
            .init(
                reference: .init(loop: 0, token: token), address: .counter(2), timeout: 60_000,
                method: .number(call.number))
        ).encode(to: &writer)
        writer.value(arguments)
        try system.receive(writer.bytes, from: Self.peer)
    }

    /// The replies that left: which call, and how it ended.
    private func replies(_ transport: ScriptedTransport) throws -> [(token: UInt64, outcome: ClusterFrame.Outcome)] {
        try transport.frames.compactMap { bytes -> (token: UInt64, outcome: ClusterFrame.Outcome)? in
            guard case .reply(let head) = try ClusterFrame.decode(bytes, speaking: .own).0 else { return nil }
            return (head.reference.token, head.outcome)
        }
    }

    @Test func aReplyThatIsTooLargeIsAnsweredWithAFailure() async throws {
        try await withNode { system, transport in
            transport.refuse(.tooLarge)
            try receive(Counter.add, 1, token: 5, by: system)
            try await eventually("it is answered") { transport.frames.count == 1 }
            transport.refuse(.tooLarge)
            try receive(Counter.refuse, Nothing(), token: 6, by: system)
            try await eventually("a failure that is too large, too") { transport.frames.count == 2 }
            let replies = try replies(transport)
            #expect(replies.map { $0.token } == [5, 6])
            for reply in replies {
                guard case .failure(.malformed) = reply.outcome else {
                    Issue.record("answered with \(reply.outcome)")
                    continue
                }
            }
            #expect(transport.broken.isEmpty)
        }
    }

    @Test func aReplyThatFindsNoRoomEndsTheLinkOfItsCaller() async throws {
        try await withNode { system, transport in
            transport.refuse(.full)
            try receive(Counter.add, 1, token: 5, by: system)
            try await eventually("the link is given up") { transport.broken == [Self.peer] }
            // Nor does the failure in place of a reply that is too large.
            transport.refuse(.tooLarge, .full)
            try receive(Counter.add, 1, token: 6, by: system)
            try await eventually("the link is given up") { transport.broken == [Self.peer, Self.peer] }
            #expect(transport.frames.isEmpty)
            // A link that is lost already is nobody's to break.
            transport.refuse(.unlinked)
            try receive(Counter.add, 1, token: 7, by: system)
            try receive(Counter.add, 1, token: 8, by: system)
            try await eventually("the next one is answered") { transport.frames.count == 1 }
            #expect(transport.broken.count == 2)
            #expect(try replies(transport).map { $0.token } == [8])
        }
    }

    @Test func aCallThatIsTooLargeFailsAtOnceAndOneThatFindsNoRoomWaits() async throws {
        try await withNode { system, transport in
            let address = ActorAddress.counter(1)
            await system.lost([address.slot: 1])
            system.learn(address.slot, node: Self.peer, epoch: 9)
            transport.refuse(.tooLarge)
            await #expect(
                performing: {
                    _ = try await system.invoke(Counter.add, on: address, 1, deadline: .seconds(60))
                },
                throws: { error in
                    if case CallError.malformed(.limitExceeded) = error { true } else { false }
                })
            transport.refuse(.full)
            let failures = NIOLockedValueBox(0)
            system.invoke(Counter.add, on: address, 2, deadline: .seconds(60)) { _ in
                failures.withLockedValue { $0 += 1 }
            }
            try await eventually("it is tried again") { transport.frames.count == 1 }
            #expect(failures.withLockedValue { $0 } == 0)
            #expect(transport.broken.isEmpty)
        }
    }
}
