import FluxCore
import FluxFuzzing
import Testing

@testable import FluxStore

/// History in every direction against a model, with tombstones, over several partitions and channels.
struct HistoryTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func pagesAreWhatTheModelSays(seed: UInt64) async throws {
        try await withDatabase { database in
            var generator = SeededGenerator(seed: seed)
            let channels = [Fixture.id(500), Fixture.id(501)]
            var standing: [ChannelID: [MessageID]] = [:]
            for channelID in channels {
                standing[channelID] = try await fill(channelID, of: database, using: &generator)
            }
            let messages = Messages(database)
            for _ in 0..<150 {
                let channelID = channels[Int.random(in: 0..<2, using: &generator)]
                let ids = standing[channelID, default: []]
                let limit = Int.random(in: 0...12, using: &generator)
                let cursor = cursor(in: ids, using: &generator)
                for page in [Messages.Page.newest, .before(cursor), .after(cursor), .around(cursor)] {
                    let read = try await messages.history(page, in: channelID, guildID: nil, limit: limit)
                    #expect(read.map(\.id) == expected(page, of: ids, limit: limit), "\(page) limit \(limit)")
                }
            }
            let first = channels[0]
            let some = standing[first, default: []].shuffled(using: &generator).prefix(7)
            let batch = try await messages.batch(some + [Fixture.id(1)], in: first, guildID: nil)
            #expect(batch.map(\.id) == some.sorted(by: >))
        }
    }

    /// About 60 messages of which every fifth is deleted, their ids spread over the years, and so over partitions.
    private func fill(
        _ channelID: ChannelID, of database: Database, using generator: inout SeededGenerator
    ) async throws -> [MessageID] {
        var raw = Set<UInt64>()
        while raw.count < 60 {
            let milliseconds = Int64.random(in: 1_420_070_400_001...1_900_000_000_000, using: &generator)
            raw.insert(Snowflake.lowest(atMilliseconds: milliseconds).rawValue)
        }
        let ids = raw.sorted().map { Snowflake($0) }
        try await database.insert(
            ids.enumerated().map { index, id in
                Message(
                    id: id, channelID: channelID, authorID: Fixture.id(1), content: "\(id)", seq: Int64(index + 1),
                    epoch: 1)
            })
        let deleted = ids.filter { _ in Int.random(in: 0..<5, using: &generator) == 0 }
        try await database.run(
            LaneStatements.deleteMessages(
                deleted.map { MessageDeletion(channelID: channelID, messageID: $0, seq: 1_000) }))
        return ids.filter { !deleted.contains($0) }
    }

    /// An id of the channel, its neighbour, one of the ends, or any number.
    private func cursor(in ids: [MessageID], using generator: inout SeededGenerator) -> MessageID {
        let known = ids[Int.random(in: 0..<ids.count, using: &generator)]
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: return Snowflake(0)
        case 1: return .maximum
        case 2: return Snowflake(known.rawValue + 1)
        case 3: return Snowflake(known.rawValue - 1)
        case 4: return Snowflake(UInt64.random(in: 0...UInt64(Int64.max), using: &generator))
        default: return known
        }
    }

    private func expected(_ page: Messages.Page, of ids: [MessageID], limit: Int) -> [MessageID] {
        switch page {
        case .newest: ids.suffix(limit).reversed()
        case .before(let id): ids.filter { $0 < id }.suffix(limit).reversed()
        case .after(let id): ids.filter { $0 > id }.prefix(limit).reversed()
        case .around(let id):
            ids.filter { $0 >= id }.prefix(limit - limit / 2).reversed()
                + ids.filter { $0 < id }.suffix(limit / 2).reversed()
        }
    }
}
