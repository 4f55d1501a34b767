import FluxCluster
import FluxCore

/// A connection whose client wants its session back.
struct ArrivingClient {
    /// The last dispatch that the client has.
    let sequence: UInt64
    let identity: GatewayIdentity
    let transport: any SessionTransport
    let completion: LoopSessions.Completion

    /// The client is told that its session cannot be had. - Parameter resumable: whether it may try again.
    func refuse(resumable: Bool) { completion(.failure(.invalidSession(resumable: resumable))) }
}

/// For whom a session comes from another node.
enum SessionTaking {
    case client(ArrivingClient)
    /// Its node ends; its client, who has everything up to `sequence`, has not come back yet.
    case absent(UserID, sequence: UInt64)

    var userID: UserID {
        switch self {
        case .client(let client): client.identity.userID
        case .absent(let userID, _): userID
        }
    }

    var sequence: UInt64 {
        switch self {
        case .client(let client): client.sequence
        case .absent(_, let sequence): sequence
        }
    }

    var client: ArrivingClient? {
        if case .client(let client) = self { client } else { nil }
    }
}

/// A session on its way from another node to a loop of this one. Confined to its loop.
final class SessionArrival {
    let key: SessionKey
    let ticket: UInt64
    let taking: SessionTaking
    /// In milliseconds of the engine's clock.
    let since: UInt64
    /// The node that is asked.
    var holder: NodeID?
    /// Which nodes were asked.
    var asked: Set<NodeID> = []
    /// Which of them do not have it.
    var refusedBy: Set<NodeID> = []
    var hasAskedUser = false
    /// How often the session was described.
    var rounds = 0
    /// What it will be here; gathers what comes until the holder has sent it.
    var session: Session?
    /// From where on each stream comes to this loop.
    var heads: [StreamKey: StreamPosition] = [:]
    /// The streams whose owners have not answered.
    var awaited: Set<StreamKey> = []
    var state: SessionState?
    var dispatches: [StreamEvent] = []
    /// What the dispatches cost in bytes.
    var cost = 0

    init(key: SessionKey, ticket: UInt64, taking: SessionTaking, since: UInt64) {
        self.key = key
        self.ticket = ticket
        self.taking = taking
        self.since = since
    }
}

/// A session that has come and that its former holder has not let go of. Confined to its loop.
final class SessionClaim {
    /// Names the move.
    let ticket: UInt64
    let holder: NodeID
    /// Who waits for the session; nil when the client was told to try again.
    var client: ArrivingClient?
    /// Since when, in milliseconds of the engine's clock.
    var since: UInt64

    init(ticket: UInt64, holder: NodeID, client: ArrivingClient?, since: UInt64) {
        self.since = since
        self.ticket = ticket
        self.holder = holder
        self.client = client
    }
}
