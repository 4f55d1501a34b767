import FluxCluster
import FluxCore
import FluxStore
import Logging

/// Keeps the node's row in Postgres alive: once a second it says that the node lives, reserves the ids of the next five
/// minutes, reads who the members are, and looks now and then how far the clocks are apart.
///
/// It has a connection of its own, so that it never waits behind anything else.
struct ClusterHeartbeat: Sendable {
    /// How often.
    static let interval = Duration.seconds(1)
    /// Every so many beats the clocks are compared.
    static let clockBeats = 10
    /// How far the node's clock may be off Postgres's.
    static let clockTolerance = Duration.seconds(1)

    /// What a beat has found out.
    struct Answer: Sendable {
        /// The rows of all members.
        var members: [ClusterMember]
        /// The nodes whose heartbeats reach Postgres.
        var living: Set<NodeID>
        /// Up to which moment ids are reserved, in milliseconds since 1970.
        var reserved: Int64
        /// How far this node's clock is off, if it was looked at and by more than is allowed or unclear.
        var clock: Clock?
    }

    /// A comparison of clocks.
    struct Clock: Sendable {
        var offset: Duration
        var isOff: Bool
    }

    /// What came of a beat.
    enum Outcome: Sendable {
        case answered(Answer)
        /// There was no answer in time.
        case failed(StoreError)
        /// A newer incarnation of this node runs, or it was removed: this process has to end.
        case fenced
    }

    let node: FluxStore.NodeIdentity
    let store: LeaseStore
    let server: ServerCheck
    /// This node's clock.
    var clock: @Sendable () -> Timestamp = { .now() }

    /// Beats until the task is cancelled or the node has lost its place, and reports each outcome.
    /// - Parameter comparison: of the clocks, just now.
    func run(after comparison: Clock, _ report: @Sendable (Outcome) async -> Void) async {
        var isOff = comparison.isOff
        var beat = 1
        while !Task.isCancelled {
            let outcome = await once(comparingClocks: beat % Self.clockBeats == 0, isClockOff: isOff)
            await report(outcome)
            switch outcome {
            case .answered(let answer): isOff = answer.clock?.isOff ?? isOff
            case .failed: break
            case .fenced: return
            }
            beat += 1
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// One beat. - Parameter isClockOff: whether the clock was, when it was last compared.
    func once(comparingClocks: Bool, isClockOff: Bool) async -> Outcome {
        do throws(StoreError) {
            let comparison = comparingClocks ? try await compareClocks() : nil
            // A clock that is off reserves nothing: what is reserved is never given back.
            let wanted = comparison?.isOff ?? isClockOff ? 0 : clock().milliseconds + LeaseStore.reservation
            let reserved = try await store.heartbeat(node, highWaterMilliseconds: wanted)
            let rows = try await store.nodes()
            return .answered(
                Answer(
                    members: rows.compactMap(ClusterMember.init), living: Self.living(rows), reserved: reserved,
                    clock: comparison))
        } catch .fenced {
            return .fenced
        } catch {
            return .failed(error)
        }
    }

    /// The rows alone.
    func members() async -> [ClusterMember]? {
        try? await store.nodes().compactMap(ClusterMember.init)
    }

    /// Looks how far the clocks are apart.
    func compareClocks() async throws(StoreError) -> Clock {
        let (offset, roundTrip) = try await server.clockOffset(clock)
        let distance = offset < .zero ? .zero - offset : offset
        return Clock(offset: offset, isOff: distance > Self.clockTolerance + roundTrip / 2)
    }

    private static func living(_ rows: [NodeRow]) -> Set<NodeID> {
        Set(rows.filter { $0.isLive && $0.state != .left }.compactMap { NodeID(rawValue: $0.identity.node) })
    }
}

extension ClusterMember {
    /// A row as Postgres has it; nil for one of a removed node, or with a number that no node can have.
    init?(_ row: NodeRow) {
        guard let id = NodeID(rawValue: row.identity.node) else { return nil }
        let standing: Standing
        switch row.state {
        case .active: standing = .active
        case .draining: standing = .draining
        case .left: standing = .left
        case .removed: return nil
        }
        self.init(
            identity: FluxCluster.NodeIdentity(name: row.name, id: id, incarnation: row.identity.incarnation),
            address: row.address, weight: row.weight, standing: standing)
    }
}
