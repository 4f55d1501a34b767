import FluxCore
import FluxStore

/// How changes are made durable: one mutation for those that belong together, and values of which the latest counts.
package struct UserWrites: Sendable {
    /// A value that the lane may leave out when a later one follows within a second.
    struct Counter: Sendable {
        var key: CounterKey
        var statement: Statement
    }

    /// All or nothing, in this order; may be empty.
    package var statements: [Statement] = []
    var counters: [Counter] = []
}

extension CounterKey {
    /// How far a user has read in a channel.
    static func readState(_ userID: UserID, _ channelID: ChannelID) -> CounterKey {
        CounterKey(kind: 1, userID, channelID)
    }

    /// How far a user lets the others of a DM know.
    static func receipt(_ userID: UserID, _ channelID: ChannelID) -> CounterKey {
        CounterKey(kind: 2, userID, channelID)
    }
}

extension UserState {
    /// The writes of the changes of one plan.
    package func writes(for changes: [UserChange], at now: Timestamp) -> UserWrites {
        var writes = UserWrites()
        for change in changes {
            switch change {
            case .relationship(let side, _): writes.statements.append(.setRelationship(side))
            case .noticeSent(let entry): writes.statements.append(.insertOutbox(entry))
            case .noticeTaken(let id): writes.statements.append(.takeFromOutbox(id))
            case .read(let mark):
                writes.counters.append(
                    UserWrites.Counter(
                        key: .readState(userID, mark.channelID), statement: statement(for: mark, at: now)))
            case .receipt(let receipt, _):
                writes.counters.append(
                    UserWrites.Counter(
                        key: .receipt(userID, receipt.channelID), statement: .setReceipt(receipt)))
            case .settings(let settings, _):
                writes.statements.append(.setSettings(settings.json.encoded(), userID: userID))
            case .receiptsWithdrawn(let channelIDs):
                writes.statements.append(.deleteReceipts(of: userID, in: channelIDs))
            case .guildSettings(let guildID, let object):
                writes.statements.append(
                    .setGuildSettings(JSON.object(object).encoded(), userID: userID, guildID: guildID))
            case .note(let note, let peerID):
                writes.statements.append(.setNote(note, userID: userID, about: peerID))
            }
        }
        return writes
    }

    private func statement(for mark: ReadMark, at now: Timestamp) -> Statement {
        .setReadState(
            ReadState(
                userID: userID, channelID: mark.channelID, lastMessageID: mark.lastMessageID,
                mentionCount: mark.markedCount, updatedAt: now),
            version: mark.version)
    }
}
