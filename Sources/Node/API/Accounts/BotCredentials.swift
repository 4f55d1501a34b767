import FluxCore
import FluxSecurity
import FluxStore
import NIOConcurrencyHelpers

/// Checks the tokens of bots against the hashes in the store.
///
/// What the store said is believed for ``lifetimeSeconds``, so that a busy bot costs one query in that time, and a token
/// that was replaced on another node is refused within it. A bot that does not exist is remembered likewise.
public final class BotCredentials: Sendable {
    /// How long an answer of the store is used.
    public static let lifetimeSeconds: Int64 = 2

    private struct Entry: Sendable {
        /// Nil where the bot has no token, or does not exist.
        var hash: [UInt8]?
        var readAt: Timestamp
    }

    private let applications: Applications
    private let now: @Sendable () -> Timestamp
    private let entries = NIOLockedValueBox(GenerationCache<UserID, Entry>(generationLimit: 4096))

    public init(applications: Applications, now: @escaping @Sendable () -> Timestamp = Timestamp.now) {
        self.applications = applications
        self.now = now
    }

    /// Whether this is the one valid token of the bot that it names.
    public func isValid(_ token: BotToken) async throws -> Bool {
        guard let hash = try await hash(of: token.botID) else { return false }
        return ConstantTime.equal(hash, token.hash)
    }

    /// Forgets what is known of a bot, because its token has just changed.
    public func forget(_ botID: UserID) {
        entries.withLockedValue { $0.remove(botID) }
    }

    private func hash(of botID: UserID) async throws -> [UInt8]? {
        let moment = now()
        if let entry = entries.withLockedValue({ $0.find(botID) }),
            moment < entry.readAt.adding(seconds: Self.lifetimeSeconds)
        {
            return entry.hash
        }
        let hash = try await applications.token(of: botID)?.hash
        entries.withLockedValue { $0.insert(Entry(hash: hash, readAt: moment), for: botID) }
        return hash
    }
}
