/// The kinds of events that have a number in a channel's log.
enum LogKind: String, Sendable, CaseIterable {
    case created = "MESSAGE_CREATE"
    case updated = "MESSAGE_UPDATE"
    case deleted = "MESSAGE_DELETE"
    case deletedInBulk = "MESSAGE_DELETE_BULK"
    case reactionAdded = "MESSAGE_REACTION_ADD"
    case reactionRemoved = "MESSAGE_REACTION_REMOVE"
    case reactionsRemoved = "MESSAGE_REACTION_REMOVE_ALL"
    case reactionKindRemoved = "MESSAGE_REACTION_REMOVE_EMOJI"
}
