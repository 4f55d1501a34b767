import FluxCore
import FluxStore
import Logging

/// Does in the background what nobody waits for: makes the partitions that messages of the next weeks will need, and
/// removes what is kept for a time only (the channels' logs and the tombstones of deleted messages for seven days, ended
/// logins for one, refresh tokens until they are out of date, which commands were performed for ten minutes) and what deleted
/// guilds and channels have left behind.
///
/// Every node does it; two at once do no harm. It works in small pieces, with a pause as long as each piece took, so it
/// uses half of one connection at most. A failure is left to the next round.
struct Housekeeping: Sendable {
    /// From the end of one round to the beginning of the next.
    static let interval = Duration.seconds(3_600)
    /// The most pieces of one kind in a round; what is left waits for the next.
    static let piecesPerRound = 1_000

    private let maintenance: Maintenance
    private let cluster: ClusterStore
    private let logger: Logger

    init(_ database: Database, logger: Logger) {
        maintenance = Maintenance(database)
        cluster = ClusterStore(database)
        self.logger = logger
    }

    /// Runs until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            await round(at: .now())
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// One round.
    func round(at now: Timestamp) async {
        do throws(StoreError) {
            try await maintenance.extendPartitions(at: now)
            _ = try await cluster.purge()
            let oldest = now.adding(seconds: -Maintenance.logSeconds)
            let ended = now.adding(seconds: -Maintenance.endedLoginSeconds)
            try await inPieces("log entries") { () throws(StoreError) in
                try await maintenance.purgeLog(before: oldest)
            }
            try await inPieces("tombstones") { () throws(StoreError) in
                try await maintenance.purgeTombstones(before: oldest)
            }
            try await inPieces("refresh tokens") { () throws(StoreError) in try await maintenance.purgeTokens(at: now) }
            try await inPieces("logins") { () throws(StoreError) in
                try await maintenance.purgeLogins(endedBefore: ended)
            }
            let repeatable = now.adding(seconds: -Maintenance.performedCommandSeconds)
            try await inPieces("performed commands") { () throws(StoreError) in
                try await maintenance.purgePerformedCommands(before: repeatable)
            }
            try await inPieces("rows of deleted guilds and channels") { () throws(StoreError) in
                try await maintenance.purgeDeleted()
            }
        } catch {
            guard !Task.isCancelled else { return }
            logger.warning("housekeeping goes on in the next round", metadata: ["error": "\(error)"])
        }
    }

    private func inPieces(
        _ what: String, _ piece: () async throws(StoreError) -> Int
    ) async throws(StoreError) {
        var removed = 0
        for _ in 0..<Self.piecesPerRound where !Task.isCancelled {
            let begun = ContinuousClock.now
            let count = try await piece()
            removed += count
            if count == 0 { break }
            try? await Task.sleep(for: .now - begun)
        }
        if removed > 0 { logger.info("housekeeping: removed \(removed) \(what)") }
    }
}
