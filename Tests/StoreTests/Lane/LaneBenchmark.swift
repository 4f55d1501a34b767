import FluxCore
import FluxTestSupport
import Foundation
import NIOConcurrencyHelpers
import Testing

@testable import FluxStore

/// Rows a second through a node's lanes. It prints and asserts nothing; `FLUX_BENCH=1` lets it run, a release build
/// (`swift test -c release`) makes it worth reading.
struct LaneBenchmark {
    @Test(.enabled(if: ProcessInfo.processInfo.environment["FLUX_BENCH"] == "1")) func durableMessagesASecond()
        async throws
    {
        let test = try await TestPostgres.shared.database()
        let database = try test.open()
        let leases = LeaseStore(database)
        let identity = try await leases.register(node: 1, name: "one", lanes: 2, at: .now()).identity
        let slots = (0..<64).compactMap { Slot(rawValue: $0) }
        let epochs = try await leases.acquire(slots, for: identity)
        let total = 300_000
        let left = NIOLockedValueBox(total)
        let done = Signal()
        let lanes = try LanePool(
            configuration: DatabaseConfiguration(url: test.url), identity: identity, lanes: 2,
            logger: TestDatabase.silence
        ) { outcomes in
            let committed = outcomes.count { $0.result == .committed }
            let isDone = left.withLockedValue { left in
                left -= committed
                return left == 0
            }
            if isDone { done.set() }
        }
        let content = String(repeating: "x", count: 100)
        let begun = ContinuousClock.now
        for number in 0..<total {
            let slot = slots[number % slots.count]
            let seq = Int64(number / slots.count) + 1
            let message = Message(
                id: Fixture.id(UInt64(number)), channelID: Fixture.id(1 << 40 + UInt64(slot.rawValue)),
                authorID: Fixture.id(1), content: content, nonce: .string("nonce-\(number)"), seq: seq,
                epoch: epochs[slot] ?? 0)
            let mutation = Mutation(
                id: MutationID(UInt64(number)), slot: slot, epoch: message.epoch, origin: 0,
                change: .createMessage(MessageRow(message)))
            try await lanes.appendWaiting(mutation)
        }
        await done.wait()
        let seconds = (ContinuousClock.now - begun).seconds
        print("durable messages: \(Int(Double(total) / seconds)) rows/s (\(total) rows of 100 bytes, 2 lanes)")
        await lanes.drain()
        await database.close()
    }
}
