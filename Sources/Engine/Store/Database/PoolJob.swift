/// A call on its way through the pool.
struct PoolJob: Sendable {
    /// Until when the caller waits.
    var deadline: ContinuousClock.Instant
    /// Whether it may be run again when its connection died under it.
    var isRepeatable: Bool
    /// Does the work on the connection's thread and hands the result to the caller; throws instead when it has not.
    var run: @Sendable (Connection, ContinuousClock.Instant) throws(StoreError) -> Void
    /// Tells the caller that there will be no result.
    var fail: @Sendable (StoreError) -> Void
}
