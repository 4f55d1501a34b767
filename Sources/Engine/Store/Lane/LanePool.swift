import FluxCore
import Logging

/// The write-behind pipelines of one node. A slot always writes through the same lane, so its changes keep their order.
public final class LanePool: Sendable {
    /// Hands over what became of mutations, on the lane's thread, many at a time. It must not block.
    public typealias OutcomeHandler = @Sendable ([LaneOutcome]) -> Void

    /// `lanes` pipelines for the node `identity`, which must be registered (`LeaseStore.register`).
    public init(
        configuration: DatabaseConfiguration, identity: NodeIdentity, lanes: Int, limits: LaneLimits = LaneLimits(),
        logger: Logger, onOutcomes: @escaping OutcomeHandler
    ) {}

    /// Puts a mutation at the end of its lane. Callable from every thread; it never waits.
    ///
    /// Throws `.overloaded` at a bound of the lane (rows, bytes, age) and `.closed` after `drain`.
    public func append(_ mutation: Mutation) throws(StoreError) {
        throw .closed
    }

    /// Accepts nothing more and returns when every mutation has had its outcome and the threads have ended.
    public func drain() async {}
}
