import FluxCluster
import FluxCore

// Which commands the edge may send again when it does not know whether a first try was carried out (I4): the owner's node died, or
// its slot was lost, while the command was under way.
//
// - Reads.
// - What changes a guild or what belongs to a person, under the edge's key: it is stored with the change (`PerformedCommand`), and a
//   repeat is answered what the first try was, whatever has become since of what it made, or of who asked for it.
// - What sets a state of a channel, and what a channel knows by its key (a message, and the message that tells of a pin).

extension ChannelCommand: Repeatable {
    public var isRepeatable: Bool {
        switch operation {
        case .get, .history, .message, .listReactions, .pins, .events: true
        // The channel knows the key of a message that it has, also of the one that tells of a pin.
        case .send, .pin: idempotencyKey != 0
        case .edit, .addReaction, .removeReaction, .clearReactions, .unpin: true
        // The edge knows a message that is gone by its tombstone (`Realtime.perform`).
        case .delete, .bulkDelete: true
        // Whoever is shown twice that somebody types sees it once.
        case .typing: true
        }
    }
}

extension GuildCommand: Repeatable {
    public var isRepeatable: Bool { operation.isRead || idempotencyKey != 0 }
}

extension GuildCommand {
    /// Whose membership it is about. Of the deletion of a guild these are the members, who find it in the outbox.
    var subjects: [UserID] {
        switch operation {
        case .create, .leave, .acceptInvite: [caller.userID]
        case .kick(let id), .ban(let id), .addBot(let id, _): [id]
        default: []
        }
    }
}

extension GuildOperation {
    /// Whether it never changes anything.
    var isRead: Bool {
        switch self {
        case .get, .summary, .listChannels, .channel, .member, .listMembers, .searchMembers, .listBans, .getBan,
            .listRoles, .invite, .listInvites:
            true
        case .create, .update, .delete, .leave, .createChannel, .reorderChannels, .updateChannel, .deleteChannel,
            .setOverwrite, .deleteOverwrite, .updateMember, .updateOwnMember, .addRole, .removeRole, .kick, .ban,
            .unban, .createRole, .updateRole, .reorderRoles, .deleteRole, .createInvite, .acceptInvite, .deleteInvite,
            .addBot:
            false
        }
    }
}

extension UserCommand: Repeatable {
    public var isRepeatable: Bool { !operation.isRecorded || idempotencyKey != 0 }
}

extension UserOperation {
    /// Whether it is stored with its changes that it was carried out. The others read, or say how far the user has read.
    var isRecorded: Bool {
        switch self {
        case .get, .listRelationships, .listDirectMessages, .receipts, .settings, .note, .acknowledge,
            .acknowledgeMany:
            false
        case .updateProfile, .requestFriend, .setRelationship, .removeRelationship, .updateRelationship,
            .openDirectMessage, .closeDirectMessage, .updateSettings, .updateGuildSettings, .setNote:
            true
        }
    }
}
