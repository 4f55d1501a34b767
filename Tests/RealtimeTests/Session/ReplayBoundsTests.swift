import FluxCore
import NIOCore
import Testing

@testable import FluxRealtime

/// What is kept for a resume is bounded, and beyond the bound the client is told to begin anew, never left with a gap (I6, I8).
@Suite struct ReplayBoundsTests {
    private func attempt(
        _ limits: SessionLimits, missing: Int, text: String = "x"
    ) async throws -> (resumed: Bool, seen: [String]) {
        try await TestNode.run(limits: limits) { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let client = try await node.connect(owner)
            await client.drop()
            for number in 0..<missing { try await node.say("\(text)\(number)", in: guild.channel, as: owner) }
            let next = TestClient(node: node, caller: owner, loop: 0)
            do {
                try await next.resume(client.sessionID, after: client.lastSequence)
                await next.until { dispatches, _, _ in dispatches.contains { $0.kind == .resumed } }
                return (true, next.contents(of: guild.channel))
            } catch SessionRefusal.invalidSession(resumable: false) {
                #expect(next.dispatches.isEmpty)
                return (false, [])
            }
        }
    }

    @Test func asManyEventsAsTheBoundAreReplayed() async throws {
        var limits = SessionLimits()
        limits.replayEvents = 50
        let within = try await attempt(limits, missing: 50)
        #expect(within.resumed)
        #expect(within.seen == (0..<50).map { "x\($0)" })
        #expect(try await attempt(limits, missing: 51).resumed == false)
    }

    @Test func bytesAreBoundedToo() async throws {
        var limits = SessionLimits()
        limits.replayBytes = 64 << 10
        let text = String(repeating: "y", count: 1900)
        #expect(try await attempt(limits, missing: 15, text: text).resumed)
        #expect(try await attempt(limits, missing: 40, text: text).resumed == false)
    }

    @Test func theContractsLeastIsHeld() {
        let limits = SessionLimits()
        #expect(limits.replayEvents >= 4096 || limits.replayBytes >= 8 << 20)
        var ring = ReplayRing(maximumCount: limits.replayEvents, maximumCost: limits.replayBytes)
        for _ in 0..<10_000 { _ = ring.append(StreamEvent(kind: .messageCreate, body: [])) }
        #expect(ring.count == 4096)
        #expect(ring.dispatches(after: 10_000 - 4096)?.count == 4096)
        #expect(ring.dispatches(after: 10_000 - 4097) == nil)
        #expect(ring.dispatches(after: 10_001) == nil)
        #expect(ring.dispatches(after: 10_000)?.isEmpty == true)
        var large = ReplayRing(maximumCount: 1 << 20, maximumCost: 8 << 20)
        for _ in 0..<100 {
            _ = large.append(StreamEvent(kind: .messageCreate, body: [UInt8](repeating: 0, count: 1 << 20)))
        }
        #expect(large.cost <= 8 << 20)
        #expect(large.count == 7)
    }

    /// The whole node is over its bound: what is held goes, first of those that wait, and they learn it.
    @Test func theNodesBoundGoesBeforeTheSessions() async throws {
        var limits = SessionLimits()
        limits.heldEventBytes = 0
        try await TestNode.run(limits: limits) { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let client = try await node.connect(owner)
            await client.drop()
            for number in 0..<20 { try await node.say("\(number)", in: guild.channel, as: owner) }
            let key = try #require(SessionKey(client.sessionID))
            // Each second halves it.
            while try await held(key, node) > 0 { try await Task.sleep(for: .milliseconds(20)) }
            let next = TestClient(node: node, caller: owner, loop: 0)
            await #expect(throws: SessionRefusal.invalidSession(resumable: false)) {
                try await next.resume(client.sessionID, after: client.lastSequence)
            }
            // The connection is open for an IDENTIFY, and a client that keeps up loses nothing by the bound.
            let anew = try await node.connect(owner)
            for number in 0..<20 { try await node.say("again \(number)", in: guild.channel, as: owner) }
            await anew.until { dispatches, _, _ in
                dispatches.contains { $0.body["content"]?.stringValue == "again 19" }
            }
            var audit = SessionAudit()
            audit.feed(anew.dispatches)
            #expect(audit.breaches == [])
        }
    }

    private func held(_ key: SessionKey, _ node: TestNode) async throws -> Int {
        await withCheckedContinuation { continuation in
            node.realtime.services.run(on: 0) { continuation.resume(returning: $0.sessions[key]?.ring.count ?? 0) }
        }
    }

    @Test func aSessionWaitsForItsClientAndThenEnds() async throws {
        var limits = SessionLimits()
        limits.resumeMilliseconds = 1
        try await TestNode.run(limits: limits) { node in
            let owner = try await node.person("owner")
            _ = try await node.guild(of: owner)
            let client = try await node.connect(owner)
            await client.drop()
            while await node.realtime.census().sessions > 0 { try await Task.sleep(for: .milliseconds(20)) }
            let next = TestClient(node: node, caller: owner, loop: 0)
            await #expect(throws: SessionRefusal.invalidSession(resumable: false)) {
                try await next.resume(client.sessionID, after: client.lastSequence)
            }
        }
    }
}
