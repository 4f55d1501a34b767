import Synchronization

/// Counts the bytes of all events that something in this process still holds: replay rings, relays, buffers. Shared bytes
/// count once, so the figure is what a bound on memory has to look at.
enum HeldEvents {
    private static let total = Atomic<Int>(0)

    static var bytes: Int { total.load(ordering: .relaxed) }
    static func added(_ cost: Int) { total.wrappingAdd(cost, ordering: .relaxed) }
    static func removed(_ cost: Int) { total.wrappingSubtract(cost, ordering: .relaxed) }
}
