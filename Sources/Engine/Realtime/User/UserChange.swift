import FluxCore
import FluxStore

/// One change of what belongs to a user, with the whole new state of what changed: enough to store it, to apply it, and to
/// tell of it.
package enum UserChange: Sendable, Equatable {
    /// This side of a relationship; the account of the other one is for the event.
    case relationship(RelationshipSide, peer: User)
    /// The other side is to be told.
    case noticeSent(OutboxEntry)
    /// The other side's word is taken in, whatever it came to.
    case noticeTaken(Snowflake)
    case read(ReadMark)
    case receipt(Receipt, to: [UserID])
    case settings(UserSettings, patch: JSONObject)
    /// How far the user has read is taken back from these DMs.
    case receiptsWithdrawn([ChannelID])
    case guildSettings(GuildID, JSONObject)
    /// Empty: removed.
    case note(String, about: UserID)
}

/// How far a user has read in one channel (protocol 9.2).
package struct ReadMark: Sendable, Equatable {
    var channelID: ChannelID
    var lastMessageID: MessageID
    /// Mentions marked as unread by hand.
    var markedCount: Int
    /// Grows with each change, so that clients and the store know which is later.
    var version: Int64
    /// Whether the user's sessions are told: not for one's own messages, which each session sees itself.
    var isSilent: Bool
    /// Whether it was set by hand, perhaps backwards.
    var isManual: Bool
}

/// Something that the user's sessions get next.
package struct UserEvent: Sendable, Equatable {
    package var kind: EventKind
    /// The event's `d`.
    package var body: [UInt8]

    init(_ kind: EventKind, write: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        write(&writer)
        self.kind = kind
        body = writer.bytes
    }
}

/// What a command, or the other side's word, comes to: made by planning, which changes nothing.
///
/// The actor commits `UserState.writes(for:)` of the changes in one mutation, then calls `UserState.apply`, publishes the
/// events that it gives, hints the targets of `notices`, and answers. The next plan is made only when the former one is
/// applied or given up.
package struct UserPlan: Sendable, Equatable {
    /// All or nothing, in this order; empty for what only reads.
    package var changes: [UserChange] = []
    var reply: CommandReply = .nothing

    /// Whether it takes back how far the user let others know.
    var withdrawsReceipts: Bool {
        changes.contains { change in
            if case .receiptsWithdrawn = change { true } else { false }
        }
    }

    /// Entries that wait in the outbox once the changes are durable; telling their targets at once only saves time.
    package var notices: [OutboxEntry] {
        changes.compactMap { change in
            if case .noticeSent(let entry) = change { entry } else { nil }
        }
    }
}

/// What applied changes have brought about.
package struct UserOutcome: Sendable, Equatable {
    /// For the user's own sessions, in this order.
    package var events: [UserEvent] = []
    /// Who has just become a friend: is shown the user's presence.
    var newFriends: [UserID] = []
    /// Whose blocking by the user, or of the user, has begun or ended: their DM has to know.
    var blockingChanged: [UserID] = []
    /// The status or custom status that the user chose for all sessions may be another one.
    var presenceChanged = false
}

/// What planning needs beside the state: the time, new ids, and what other keys know.
package struct UserPlanning {
    var now: Timestamp
    /// The accounts that `UserState.unknownUsers` named, those who exist.
    var users: [UserID: User]
    /// Those of them who take no friend requests (`UserSettings.takesFriendRequests` of their stored settings).
    var closedUsers: Set<UserID> = []
    /// The DMs and group DMs that `UserState.unknownChannels` named.
    var directChannels: [ChannelID: Channel] = [:]
    /// Channels that do not exist, or that the user is not in.
    var unreachable: Set<ChannelID> = []
    /// The channel's number of the messages that are acknowledged in them.
    var sequences: [MessageID: SequenceNumber] = [:]
    /// What is stored of the DM whose receipts are asked for.
    var receipts: [Receipt] = []
    /// The next id; throws `.notCommitted` where the node may mint none.
    var mint: () throws(APIError) -> Snowflake

    package init(now: Timestamp, users: [UserID: User] = [:], mint: @escaping () throws(APIError) -> Snowflake) {
        self.now = now
        self.users = users
        self.mint = mint
    }
}
