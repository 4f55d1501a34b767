/// Somebody who can connect, as `flux admin provision` tells it.
struct Person: Sendable, Equatable {
    let id: UInt64
    let name: String
    let token: String
    /// The text channels of their guilds.
    let channels: [UInt64]
}
