import FluxCore

/// The engine's two clocks: one that only goes forward, for waits and windows, and the wall's, for ids and stamps.
struct EngineClock: Sendable {
    private let start = ContinuousClock.now

    /// Milliseconds since the engine began; never goes back.
    var milliseconds: UInt64 {
        let elapsed = ContinuousClock.now - start
        return UInt64(elapsed.components.seconds) * 1000
            + UInt64(elapsed.components.attoseconds / 1_000_000_000_000_000)
    }

    /// Milliseconds since 1970, UTC.
    var wallMilliseconds: Int64 { Timestamp.now().milliseconds }
}
