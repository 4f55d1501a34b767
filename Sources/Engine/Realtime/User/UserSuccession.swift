import FluxCore

/// How a user's stream goes on at a relay that asks for it (design 4). A value without I/O.
///
/// A relay that comes from an earlier owner goes on if that one has handed the user over, or if all that it has shown is what
/// stood when this owner began. Else, or when it has fallen too far behind, it begins anew: its sessions are few and are told
/// so (I6).
package struct UserSuccession {
    /// How the stream goes on at one relay.
    package struct Next {
        /// What the relay is answered.
        package let continuation: RelayWelcome.Continuation
        /// What it is sent first, in order.
        package let replayed: [StreamEvent]
        /// Whether the owner before this one may have told it something in vain, or not told it, that no version shows.
        package let isToBeMadeUpFor: Bool
    }

    /// The owner's epoch.
    package let epoch: Epoch
    /// Where this owner's part of the stream begins.
    package let start: StreamPosition
    /// Where the part of the owner before this one ended, if that one has handed the user over.
    package var inherited: StreamPosition?
    /// What stood where this owner began, as `UserActor.version` says it.
    package var inheritedVersion: UInt64 = 0

    /// The last event before something was passed over that nobody listened to; nil while nothing was.
    private var gap: StreamPosition?

    package init(epoch: Epoch, start: StreamPosition) {
        self.epoch = epoch
        self.start = start
    }

    /// Something is missing in what comes after this event: nobody who has come no further can go on.
    package mutating func passedOver(after position: StreamPosition) { gap = position }

    /// How the stream goes on.
    /// - Parameters:
    ///   - position: the last event that the relay passed on; nil for a new relay.
    ///   - shown: what it has shown.
    ///   - last: the last event given out, up to which listeners have seen `view`.
    ///   - emitted: what was given out after a position; nil if that is not held.
    package func next(
        after position: StreamPosition?, _ shown: RelayView, last: StreamPosition, view: @autoclosure () -> RelayView,
        emitted: (StreamPosition) -> [StreamEvent]?
    ) -> Next {
        let begins = Next(continuation: .begins(last, view()), replayed: [], isToBeMadeUpFor: false)
        if let gap, let position, position <= gap { return begins }
        if let position, position.epoch == epoch, let missed = emitted(position) {
            return Next(continuation: .goesOn, replayed: missed, isToBeMadeUpFor: false)
        }
        if let position, succeeds(position, shown), let since = emitted(start) {
            return Next(
                continuation: .succeeds(start, RelayView(version: inheritedVersion), []), replayed: since,
                isToBeMadeUpFor: position != inherited)
        }
        return begins
    }

    private func succeeds(_ position: StreamPosition, _ shown: RelayView) -> Bool {
        position == inherited
            || position != .none && position.epoch < epoch && shown.version == inheritedVersion
    }
}
