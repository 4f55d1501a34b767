import FluxCore
import FluxStore

/// What has been decided of a channel's messages and is not final yet, so that what fails can be taken back (I5).
///
/// A value without I/O. Fates come in any order; when the last one of a message is known, it follows whether everybody has been
/// shown what stands.
package struct PendingChanges {
    /// What everybody who listens has to be shown, because they were shown something that does not stand.
    package enum Correction {
        /// The message never came to be.
        case deletion(MessageID)
        /// The message is still, or again, this.
        case state(Message)
        /// Somebody's reaction is there, or is not, as this says.
        case reaction(ReactionChange)

        /// Which message.
        package var messageID: MessageID {
            switch self {
            case .deletion(let id): id
            case .state(let message): message.id
            case .reaction(let change): change.messageID
            }
        }
    }

    private struct Entry {
        /// What is durable; nil for a message that is not, or not any more.
        var standing: Message?
        /// The number of the change that made it so; 0 for what was there before.
        var standingSequence: SequenceNumber = 0
        /// The number of the newest change.
        var newestSequence: SequenceNumber
        /// How many have no fate yet.
        var count = 0
        /// The message itself was not to be, whatever becomes of its changes.
        var wasNeverMade = false
    }

    private var entries: [MessageID: Entry] = [:]

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// Whether a change of the message has no fate yet.
    package func contains(_ id: MessageID) -> Bool { entries[id] != nil }

    /// A change was decided and shown. - Parameter former: the message as it was before; nil for a new one.
    package mutating func decided(_ id: MessageID, _ sequence: SequenceNumber, from former: Message?) {
        if let index = entries.index(forKey: id) {
            entries.values[index].count += 1
            entries.values[index].newestSequence = sequence
        } else {
            entries[id] = Entry(standing: former, newestSequence: sequence, count: 1)
        }
    }

    /// A change's fate is known.
    /// - Parameters:
    ///   - state: what the change makes of the message; nil if it deletes it.
    ///   - isDurable: whether it stands; if not, it never will.
    ///   - makesMessage: whether it is the message's creation.
    /// - Returns: what has to be shown instead of what was shown last, if anything.
    package mutating func settled(
        _ id: MessageID, _ sequence: SequenceNumber, as state: Message?, isDurable: Bool, makesMessage: Bool
    ) -> Correction? {
        guard var entry = entries.removeValue(forKey: id) else { return nil }
        entry.count -= 1
        if isDurable, sequence > entry.standingSequence {
            entry.standing = state
            entry.standingSequence = sequence
        }
        if makesMessage, !isDurable { entry.wasNeverMade = true }
        guard entry.count == 0 else {
            entries[id] = entry
            return nil
        }
        if entry.wasNeverMade { return .deletion(id) }
        guard entry.standingSequence < entry.newestSequence else { return nil }
        return entry.standing.map(Correction.state) ?? .deletion(id)
    }
}
