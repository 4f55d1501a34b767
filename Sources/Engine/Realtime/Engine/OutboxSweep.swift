import FluxCore
import FluxStore
import NIOConcurrencyHelpers

/// Finds what waits in the outbox for the slots of this node although nobody said so (I11): the sender's node may have died
/// between its commit and its hint. Looks into slots as soon as the node has acquired them, and into all of them now and
/// then.
final class OutboxSweep: Sendable {
    /// Between two looks for slots that are new.
    private static let pause: Duration = .seconds(1)
    /// The most pages of one sweep; the next goes on with what is left, since what was applied is gone.
    private static let pagesPerSweep = 100

    private let services: EngineServices
    private let task = NIOLockedValueBox<Task<Void, Never>?>(nil)

    init(_ services: EngineServices) { self.services = services }

    func start() {
        task.withLockedValue { task in
            if task == nil { task = Task { await self.run() } }
        }
    }

    /// Returns when nothing is swept any more.
    func stop() async {
        let running = task.withLockedValue { task in
            defer { task = nil }
            return task
        }
        running?.cancel()
        await running?.value
    }

    private func run() async {
        let beginning = ContinuousClock.now
        var schedule = SweepSchedule()
        while !Task.isCancelled {
            let look = schedule.look(into: ownedSlots, at: .now - beginning)
            if await sweep(look.slots) { schedule.succeeded(look, at: .now - beginning) }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private var ownedSlots: [Slot: Epoch] {
        var owned: [Slot: Epoch] = [:]
        for slot in Slot.all {
            let assignment = services.system.assignment(of: slot)
            if assignment.node == services.system.identity.id { owned[slot] = assignment.epoch }
        }
        return owned
    }

    /// Tells everyone of these slots for whom something waits.
    /// - Returns: whether all of it could be read.
    @discardableResult
    func sweep(_ slots: [Slot]) async -> Bool {
        guard !slots.isEmpty else { return true }
        var cursor = Snowflake(0)
        for _ in 0..<Self.pagesPerSweep where !Task.isCancelled {
            let page: [OutboxEntry]
            do { page = try await services.outbox.pending(in: slots, after: cursor) } catch {
                services.logger.warning("the outbox could not be read: \(error)")
                return false
            }
            await services.hint(Array(Set(page.compactMap(\.target))))
            guard page.count == Outbox.pageLimit, let last = page.last else { return true }
            cursor = last.id
        }
        return true
    }
}
