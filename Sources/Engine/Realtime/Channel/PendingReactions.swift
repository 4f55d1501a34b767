import FluxCore
import FluxStore

/// Which reactions were given or taken back and are not final yet, so that what fails can be taken back (I5): what
/// `PendingChanges` is for messages, for each person's reaction with one emoji.
///
/// A value without I/O.
package struct PendingReactions {
    private struct Entry {
        /// Whether the reaction durably is there.
        var isStanding: Bool
        /// The number of the change that made it so; 0 for what was there before.
        var standingSequence: SequenceNumber = 0
        /// The number of the newest change.
        var newestSequence: SequenceNumber
        /// How many have no fate yet.
        var count = 1
    }

    private var entries: [ReactionFold.Key: Entry] = [:]

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// A change was decided and shown. - Parameter wasGiven: whether the reaction was there before.
    package mutating func decided(_ change: ReactionChange, _ sequence: SequenceNumber, from wasGiven: Bool) {
        let key = ReactionFold.Key(change)
        if let index = entries.index(forKey: key) {
            entries.values[index].count += 1
            entries.values[index].newestSequence = sequence
        } else {
            entries[key] = Entry(isStanding: wasGiven, newestSequence: sequence)
        }
    }

    /// A change's fate is known. - Parameter isDurable: whether it stands; if not, it never will.
    /// - Returns: what has to be shown instead of what was shown last, if anything.
    package mutating func settled(
        _ change: ReactionChange, _ sequence: SequenceNumber, isDurable: Bool
    ) -> ReactionChange? {
        let key = ReactionFold.Key(change)
        guard var entry = entries.removeValue(forKey: key) else { return nil }
        entry.count -= 1
        if isDurable, sequence > entry.standingSequence {
            entry.isStanding = change.isAdded
            entry.standingSequence = sequence
        }
        guard entry.count == 0 else {
            entries[key] = entry
            return nil
        }
        guard entry.standingSequence < entry.newestSequence else { return nil }
        var standing = change
        standing.isAdded = entry.isStanding
        return standing
    }
}
