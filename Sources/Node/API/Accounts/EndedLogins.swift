import FluxCore
import FluxSecurity
import FluxStore
import NIOConcurrencyHelpers

/// The logins that have ended while access tokens of theirs are still in date (protocol 10.1).
///
/// Those that end on this node are known at once; those of other nodes with the next ``refresh()``, which the node calls
/// every ``refreshSeconds``, so well within the five seconds of the contract. An entry is kept until its last token is out
/// of date, so the set is as large as the logins that end in a quarter of an hour.
public final class EndedLogins: Sendable {
    /// How often a node reads what ended elsewhere.
    public static let refreshSeconds: Int64 = 2

    /// How far each reading looks back before the one before it: a row carries the time at which its writing began, by
    /// the clock of the node that wrote it.
    private static let overlapSeconds: Int64 = 30

    /// How long after its end a login can still have a token in date.
    private static let retentionSeconds = AccessClaims.lifetimeSeconds + AccessClaims.clockSkewSeconds + overlapSeconds

    private struct State: Sendable {
        var ended: [LoginID: Timestamp] = [:]
        var readUntil: Timestamp?
    }

    private let logins: Logins
    private let now: @Sendable () -> Timestamp
    private let state = NIOLockedValueBox(State())

    public init(logins: Logins, now: @escaping @Sendable () -> Timestamp = Timestamp.now) {
        self.logins = logins
        self.now = now
    }

    /// Whether a token of this login must be refused.
    public func contains(_ loginID: LoginID) -> Bool {
        state.withLockedValue { $0.ended[loginID] != nil }
    }

    /// Notes logins that ended on this node.
    public func insert(_ loginIDs: [LoginID], at moment: Timestamp) {
        state.withLockedValue { state in
            for loginID in loginIDs { state.ended[loginID] = moment }
        }
    }

    /// Reads what ended on other nodes, and forgets what no longer matters.
    public func refresh() async throws {
        let moment = now()
        let oldest = moment.adding(seconds: -Self.retentionSeconds)
        let last = state.withLockedValue { $0.readUntil?.adding(seconds: -Self.overlapSeconds) }
        var since = max(oldest, last ?? oldest)
        while true {
            let page = try await logins.ended(since: since)
            state.withLockedValue { state in
                for (loginID, endedAt) in page { state.ended[loginID] = endedAt }
            }
            guard let newest = page.last?.endedAt, newest > since else { break }
            since = newest
        }
        state.withLockedValue { state in
            state.readUntil = moment
            state.ended = state.ended.filter { $0.value >= oldest }
        }
    }

    /// How many are known.
    public var count: Int { state.withLockedValue { $0.ended.count } }
}
