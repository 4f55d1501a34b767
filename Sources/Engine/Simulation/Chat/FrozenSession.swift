import FluxCore
import FluxRealtime

/// A session as of the moment at which its holder froze it, as production's `SessionState` and the dispatches that follow it.
struct FrozenSession {
    /// Its place in one stream.
    struct Place {
        let key: StreamKey
        /// Everything up to here has been seen.
        let position: StreamPosition
        let visibility: ChannelVisibility?
    }

    let places: [Place]
    let lastSequence: UInt64
    /// What its client does not have; the last one is number `lastSequence`.
    let missed: [StreamEvent]
}
