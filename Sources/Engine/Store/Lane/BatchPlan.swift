import FluxCore

/// A batch as statements: as few as possible, with rows as arrays, in an order that has the effect of the mutations one
/// after the other.
///
/// Only the order within a slot matters. Set-based changes (messages, reactions, log) and control statements alternate in
/// stages; a mutation joins the earliest stage of its sort that is not before the last one of its slot. A batch without
/// control statements is one stage, however many slots it has. Coalesced values come last: they depend on nothing.
struct BatchPlan {
    /// One statement and the positions in the batch of the mutations it was made of.
    struct Step {
        var statement: Statement
        var mutations: [Int]
    }

    private(set) var steps: [Step] = []

    init(_ mutations: [Mutation]) {
        var stages: [Stage] = []
        var stageOfSlot: [Slot: Int] = [:]
        var counters: [Step] = []
        for (position, mutation) in mutations.enumerated() {
            if case .counter(_, let statement) = mutation.change {
                counters.append(Step(statement: statement, mutations: [position]))
                continue
            }
            let reached = stageOfSlot[mutation.slot] ?? 0
            // Even stages are of sets, odd ones of control statements.
            let stage = mutation.change.isControl == (reached % 2 == 1) ? reached : reached + 1
            stageOfSlot[mutation.slot] = stage
            while stages.count <= stage { stages.append(Stage()) }
            stages[stage].add(mutation.change, at: position)
        }
        for stage in stages { steps += stage.steps }
        steps += counters
    }
}

extension BatchPlan {
    /// Changes whose order among each other is kept by the order of their sorts (`LaneStatements`), or control statements.
    private struct Stage {
        private var created: [MessageRow] = []
        private var updated: [MessageRow] = []
        private var deleted: [MessageDeletion] = []
        private var reactions = ReactionFold()
        private var log: [LoggedEntry] = []
        private var control: [Step] = []
        private var creating: [Int] = []
        private var updating: [Int] = []
        private var deleting: [Int] = []
        private var reacting: [Int] = []
        private var logging: [Int] = []

        mutating func add(_ change: Change, at position: Int) {
            switch change {
            case .createMessage(let row):
                created.append(row)
                creating.append(position)
            case .updateMessage(let row, let entry):
                updated.append(row)
                updating.append(position)
                append(LoggedEntry(entry), at: position)
            case .deleteMessages(let ids, let channelID, let entry):
                for id in ids {
                    deleted.append(MessageDeletion(channelID: channelID, messageID: id, seq: entry.seq))
                    reactions.clear(channelID: channelID, messageID: id, emoji: nil)
                }
                deleting.append(position)
                reacting.append(position)
                append(LoggedEntry(entry), at: position)
            case .reaction(let reaction, let entry):
                reactions.apply(reaction, seq: entry.seq)
                reacting.append(position)
                append(LoggedEntry(entry), at: position)
            case .clearReactions(let channelID, let messageID, let emoji, let entry):
                reactions.clear(channelID: channelID, messageID: messageID, emoji: emoji)
                reacting.append(position)
                append(LoggedEntry(entry), at: position)
            case .logOnly(let entry, _):
                append(LoggedEntry(entry), at: position)
            case .void(let channelID, let seq, let epoch, let subject):
                append(LoggedEntry(voidIn: channelID, seq: seq, epoch: epoch, about: subject), at: position)
            case .statements(let statements):
                control += statements.map { Step(statement: $0, mutations: [position]) }
            case .counter(_, let statement):
                control.append(Step(statement: statement, mutations: [position]))
            }
        }

        private mutating func append(_ entry: LoggedEntry, at position: Int) {
            log.append(entry)
            logging.append(position)
        }

        var steps: [Step] {
            var steps: [Step] = []
            func add(_ statement: @autoclosure () -> Statement, unless isEmpty: Bool, _ mutations: [Int]) {
                if !isEmpty { steps.append(Step(statement: statement(), mutations: mutations)) }
            }
            add(LaneStatements.insertMessages(created), unless: created.isEmpty, creating)
            add(LaneStatements.updateMessages(updated), unless: updated.isEmpty, updating)
            add(LaneStatements.deleteMessages(deleted), unless: deleted.isEmpty, deleting)
            let (clears, removals, additions) = (reactions.clears, reactions.removals, reactions.additions)
            add(LaneStatements.clearReactions(clears), unless: clears.isEmpty, reacting)
            add(LaneStatements.removeReactions(removals), unless: removals.isEmpty, reacting)
            add(LaneStatements.addReactions(additions), unless: additions.isEmpty, reacting)
            add(LaneStatements.appendLog(log), unless: log.isEmpty, logging)
            return steps + control
        }
    }
}

extension Change {
    /// Whether the change is control statements, which cannot be merged with others.
    fileprivate var isControl: Bool {
        if case .statements = self { true } else { false }
    }
}
