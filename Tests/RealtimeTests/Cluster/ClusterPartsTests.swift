import FluxCluster
import FluxCore
import FluxFuzzing
import Testing

@testable import FluxRealtime

/// The values of which the shell around membership and slots is made.
@Suite struct ClusterPartsTests {
    private func identity(_ number: UInt16, incarnation: Int64 = 1) throws -> NodeIdentity {
        NodeIdentity(name: "n\(number)", id: try #require(NodeID(rawValue: number)), incarnation: incarnation)
    }

    private func slot(_ number: UInt16) throws -> Slot { try #require(Slot(rawValue: number)) }

    @Test func verdictsGoOneByOneAndOnlyTheLatestOfEachMember() throws {
        let (two, three) = (try identity(2), try identity(3))
        var queue = VerdictQueue()
        queue.add(.condemn(two))
        guard case .condemn(two)? = queue.begin() else { return #expect(Bool(false)) }
        queue.add(.condemn(three))
        queue.add(.acquit(two.id))
        queue.add(.acquit(three.id))
        #expect(queue.begin() == nil)
        queue.ended()
        guard case .acquit(two.id)? = queue.begin() else { return #expect(Bool(false)) }
        queue.ended()
        guard case .acquit(three.id)? = queue.begin() else { return #expect(Bool(false)) }
        queue.ended()
        #expect(queue.begin() == nil)
    }

    @Test func releasesGatherWhileOneIsUnderWay() throws {
        let (two, three) = (try identity(2), try identity(3))
        let slots = try (0..<4).map { try slot($0) }
        var queue = ReleaseQueue()
        queue.add(slots[0], 7, to: two)
        #expect(queue.begin() == ReleaseQueue.Group(successor: two, slots: [slots[0]: 7]))
        queue.add(slots[1], 7, to: two)
        queue.add(slots[2], 8, to: three)
        queue.add(slots[3], 9, to: two)
        #expect(queue.begin() == nil)
        queue.ended()
        #expect(queue.begin() == ReleaseQueue.Group(successor: two, slots: [slots[1]: 7, slots[3]: 9]))
        queue.ended()
        #expect(queue.begin() == ReleaseQueue.Group(successor: three, slots: [slots[2]: 8]))
        queue.ended()
        #expect(queue.begin() == nil)
    }

    @Test func memoriesAreForTheNextEpochAloneAndOnce() throws {
        let memories = SlotMemories()
        let user = Snowflake(77 << 22)
        var memory = SlotMemory()
        memory.users = [UserMemory(userID: user, position: .init(epoch: 4, number: 9), version: 5, sessions: [])]
        memory.guilds = [GuildMemory(guildID: user, presences: [])]
        memories.keep(memory, of: Slot(of: user), 4, at: 0)
        #expect(memories.take(user: user, at: 6) == nil)
        #expect(memories.take(user: user, at: 5)?.position.number == 9)
        #expect(memories.take(user: user, at: 5) == nil)
        #expect(memories.take(guild: user, at: 5) != nil)
        memories.keep(memory, of: Slot(of: user), 5, at: 0)
        memories.drop(Slot(of: user))
        #expect(memories.take(user: user, at: 6) == nil)
        // What nobody asked for is forgotten.
        memories.keep(memory, of: Slot(of: user), 6, at: 0)
        memories.keep(SlotMemory(), of: try slot(Slot(of: user).rawValue ^ 1), 1, at: SlotMemories.lifetime)
        #expect(memories.take(user: user, at: 7) == nil)
    }

    @Test func slotMemoryCrossesUnharmedAndGarbageIsRefused() throws {
        var memory = SlotMemory()
        let presence = SessionPresence(status: .idle, activities: [])
        memory.users = [
            UserMemory(
                userID: Snowflake(1 << 40), position: .init(epoch: 3, number: 1 << 30), version: .max,
                sessions: [
                    .init(session: SessionKey(nodeID: 3, random: 99), presence: presence, isAbsent: true),
                    .init(session: SessionKey(nodeID: 4, random: 98), presence: SessionPresence(), isAbsent: false),
                ])
        ]
        memory.guilds = [
            GuildMemory(guildID: Snowflake(5), presences: [MemberPresence(.offline(Snowflake(6)))])
        ]
        var writer = WireWriter()
        writer.value(memory)
        var reader = WireReader(writer.bytes)
        #expect(try reader.value(SlotMemory.self) == memory)

        var random = FuzzGenerator(seed: 18)
        for _ in 0..<FuzzBudget.inputs {
            var bytes = writer.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0...bytes.count / 2, using: &random))
            var reader = WireReader(bytes)
            _ = try? reader.value(SlotMemory.self)
        }
    }
}
