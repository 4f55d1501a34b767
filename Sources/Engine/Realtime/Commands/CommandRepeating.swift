import FluxCluster

// Which commands the edge may send again when it does not know whether a first try was carried out (I4): the owner's node died, or
// its slot was lost, while the command was under way. Reads, and what sets a state and answers the same the second time. What
// answers something else the second time, such as the making of a role or the deletion of one, is for the caller to repeat, who
// alone knows what they want.

extension ChannelCommand: Repeatable {
    public var isRepeatable: Bool {
        switch operation {
        case .get, .history, .message, .listReactions, .pins, .events: true
        // The channel knows the key of a message that it has.
        case .send: idempotencyKey != 0
        case .edit, .addReaction, .removeReaction, .clearReactions: true
        // The edge knows a message that is gone by its tombstone (`Realtime.perform`).
        case .delete, .bulkDelete: true
        // What nobody misses.
        case .typing: false
        // Two changes, of which a first try may have made the one.
        case .pin, .unpin: false
        }
    }
}

extension GuildCommand: Repeatable {
    public var isRepeatable: Bool {
        switch operation {
        case .get, .summary, .listChannels, .channel, .member, .listMembers, .searchMembers, .listBans, .getBan,
            .listRoles,
            .invite, .listInvites:
            true
        case .update, .updateChannel, .reorderChannels, .setOverwrite, .updateMember, .updateOwnMember, .addRole,
            .removeRole, .ban, .updateRole, .reorderRoles, .refreshUser:
            true
        case .create, .delete, .leave, .createChannel, .deleteChannel, .deleteOverwrite, .kick, .unban, .createRole,
            .deleteRole, .createInvite, .acceptInvite, .deleteInvite, .addBot:
            false
        }
    }
}

extension UserCommand: Repeatable {
    public var isRepeatable: Bool {
        switch operation {
        case .get, .listRelationships, .listDirectMessages, .receipts, .settings, .note: true
        case .updateProfile, .acknowledge, .acknowledgeMany, .updateSettings, .updateGuildSettings, .setNote: true
        case .requestFriend, .setRelationship, .removeRelationship, .updateRelationship, .openDirectMessage,
            .closeDirectMessage:
            false
        }
    }
}
