import FluxCore
import FluxStore
import Logging

/// Keeps the node's row in Postgres alive: once a second it says that the node lives, reserves the ids of the next five
/// minutes, and looks now and then how far the clocks are apart. What it finds out goes into ``Readiness``.
///
/// It has a connection of its own, so that it never waits behind reads.
struct Heartbeat: Sendable {
    /// How often.
    static let interval = Duration.seconds(1)
    /// After how long without an answer the node is not ready. One that is late but comes is none.
    static let patience = Duration.seconds(2)
    /// Every so many beats the clocks are compared.
    static let clockBeats = 10
    /// How far the node's clock may be off Postgres's.
    static let clockTolerance = Duration.seconds(1)

    let identity: NodeIdentity
    let leases: LeaseStore
    let server: ServerCheck
    /// Is told up to which moment ids are reserved, in milliseconds since 1970.
    let reserved: @Sendable (Int64) -> Void
    let readiness: Readiness
    let logger: Logger

    /// Runs until the task is cancelled, or returns when a newer incarnation of this node runs: then this process must end.
    func run() async {
        var lastAnswer = ContinuousClock.now
        var beat = 0
        while !Task.isCancelled {
            do throws(StoreError) {
                try await once(comparingClocks: beat % Self.clockBeats == 0)
                lastAnswer = .now
                if readiness.set(.postgres, false) { logger.notice("Postgres answers again") }
            } catch .fenced {
                return
            } catch {
                if ContinuousClock.now - lastAnswer > Self.patience, readiness.set(.postgres, true) {
                    logger.error("not ready: no heartbeat reaches Postgres", metadata: ["error": "\(error)"])
                }
            }
            beat += 1
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func once(comparingClocks: Bool) async throws(StoreError) {
        let wanted = Timestamp.now().milliseconds + LeaseStore.reservation
        reserved(try await leases.heartbeat(identity, highWaterMilliseconds: wanted))
        guard comparingClocks else { return }
        let clock = try await server.clockOffset()
        let isOff = clock.offset.magnitude > Self.clockTolerance + clock.roundTrip / 2
        if readiness.set(.clock, isOff), isOff {
            logger.error("not ready: the clock differs from Postgres's", metadata: ["offset": "\(clock.offset)"])
        }
    }
}

extension Duration {
    /// The length without its sign.
    fileprivate var magnitude: Duration { self < .zero ? .zero - self : self }
}
