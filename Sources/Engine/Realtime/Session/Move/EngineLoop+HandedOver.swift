import NIOCore

/// Waiting for this node's relays: what a session has seen on one node is compared with what has come to another.
extension EngineLoop {
    /// How long it takes, at first and at most, until is looked again, in milliseconds.
    private static let pauses = (first: Int64(5), longest: Int64(100))

    /// Calls back on this loop, with true, when the relays of streams have handed everything up to these positions to the loops that
    /// listen; with false if that is not so at `end`, in milliseconds of the node's clock.
    ///
    /// One task waits for each stream that is behind: at most `LoopArrivals.maximum` sessions come to a loop at a time, and as long as
    /// they leave another.
    func whenHandedOver(
        _ heads: [StreamHead], before end: UInt64,
        _ completion: @escaping @Sendable (_ loop: EngineLoop, _ isReached: Bool) -> Void
    ) {
        guard !heads.isEmpty else { return completion(self, true) }
        let (services, home) = (services, index)
        let left = LoopConfined((count: heads.count, isReached: true))
        for head in heads {
            services.run(onLoopOf: head.key) { source in
                source.whenHandedOver(head, before: end, after: Self.pauses.first) { isReached in
                    services.run(on: home) { loop in
                        left.value.count -= 1
                        left.value.isReached = left.value.isReached && isReached
                        if left.value.count == 0 { completion(loop, left.value.isReached) }
                    }
                }
            }
        }
    }

    private func whenHandedOver(
        _ head: StreamHead, before end: UInt64, after pause: Int64, _ completion: @escaping @Sendable (Bool) -> Void
    ) {
        if relays.hasHandedOver(head.key, head.position) { return completion(true) }
        guard now < end else { return completion(false) }
        executor.eventLoop.scheduleTask(in: .milliseconds(pause)) { [self] in
            whenHandedOver(head, before: end, after: min(pause * 2, Self.pauses.longest), completion)
        }
    }
}
