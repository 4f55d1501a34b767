import FluxCore
import FluxStore

extension UserState {
    /// Whether the command is one of those that are planned here.
    static func plans(_ operation: UserOperation) -> Bool {
        switch operation {
        case .listRelationships, .requestFriend, .setRelationship, .removeRelationship, .updateRelationship,
            .acknowledge, .acknowledgeMany, .receipts, .settings, .updateSettings, .updateGuildSettings, .note,
            .setNote:
            true
        case .get, .updateProfile, .listDirectMessages, .openDirectMessage, .closeDirectMessage:
            false
        }
    }

    /// The users whose accounts must be at hand before the command is planned.
    func unknownUsers(in command: UserCommand) -> [UserID] {
        switch command.operation {
        case .listRelationships: standingRelationships.map(\.peerID)
        case .requestFriend(let id), .setRelationship(let id), .removeRelationship(let id), .updateRelationship(let id),
            .setNote(let id):
            [id]
        default: []
        }
    }

    /// The user whose account must be at hand before the other side's word is planned.
    func unknownUsers(in entry: OutboxEntry) -> [UserID] { PeerNotice(entry).map { [$0.senderID] } ?? [] }

    /// The channels, with the messages in them, of which it must be known whether they are DMs, who is in them, and which
    /// number the message has. Guild channels are left out of the answer.
    func unknownChannels(in command: UserCommand) -> [(channelID: ChannelID, messageID: MessageID)] {
        switch command.operation {
        case .acknowledge(let channelID, let messageID): [(channelID, messageID)]
        case .acknowledgeMany: Self.acknowledgements(in: command.body)
        default: []
        }
    }

    /// Decides a command: what changes, and what the caller is answered. Changes nothing.
    package func plan(_ command: UserCommand, _ planning: UserPlanning) throws(APIError) -> UserPlan {
        guard !isBot else { throw .onlyPeople }
        switch command.operation {
        case .listRelationships: return listRelationships(planning)
        case .requestFriend(let id): return try ask(id, planning)
        case .setRelationship(let id): return try setRelationship(with: id, command.body, planning)
        case .removeRelationship(let id): return try removeRelationship(with: id, planning)
        case .updateRelationship(let id): return try rename(id, command.body, planning)

        case .acknowledge(let channelID, let messageID):
            return try acknowledge(messageID, in: channelID, command.body, planning)
        case .acknowledgeMany: return try acknowledgeMany(command.body, planning)
        case .receipts: return listReceipts(planning)

        case .settings: return UserPlan(reply: .ok { $0.json(settings.json) })
        case .updateSettings: return try updateSettings(command.body, planning)
        case .updateGuildSettings(let id): return try updateGuildSettings(of: id, command.body)
        case .note(let id): return try showNote(about: id)
        case .setNote(let id): return try setNote(about: id, command.body, planning)

        case .get, .updateProfile, .listDirectMessages, .openDirectMessage, .closeDirectMessage: throw .notFound
        }
    }
}
