/// How sends travel.
enum SendRoute: String, Sendable, CaseIterable {
    /// Op 100 over the session's socket (protocol 10.2).
    case gateway
    /// `POST /channels/{c}/messages` with the nonce enforced.
    case rest

    var other: SendRoute { self == .gateway ? .rest : .gateway }
}

/// How a run's clients behave.
struct LoadSettings: Sendable {
    /// The nodes; each session begins at one and comes back to any.
    var targets: [Target]
    /// Event loops that share the sessions out among them.
    var loops = 2
    /// Many payloads a frame (protocol 10.4).
    var isBatched = false
    var route = SendRoute.gateway
    /// Characters of a message's text.
    var textSize = 100
    /// Refused and unanswered sends are repeated under their nonce until they are acknowledged.
    var repeats = false
    /// Ended connections are part of what is tried, and no violation.
    var expectsFaults = false
    /// Connections a second, of all loops, and how many may be under way.
    var connectRate = 500.0
    var connectWidth = 64
    /// Seconds between heartbeats where shorter than what the server asks for; a beat that stays unanswered until the next one
    /// ends the connection.
    var heartbeat = 41.25
    /// REST connections of each loop to each node, and the seconds an answer may take.
    var restWidth = 32
    var restSeconds = 15

    /// How long a connection may take from the first packet to READY.
    static let openingSeconds = 20.0
    /// A send without an answer on a living connection is repeated after so long.
    static let repeatSeconds = 15.0
    /// A nonce is remembered for ten minutes; a send is not repeated when it is older than this.
    static let patienceSeconds = 540.0
}
