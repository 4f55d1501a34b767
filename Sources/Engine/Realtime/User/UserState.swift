import FluxCore
import FluxStore

/// What belongs to one user: relationships, how far they have read, settings and notes. A value without I/O, clock or
/// randomness (design 4, 9).
///
/// `plan` checks a command and says what would change; `writes` says how to make it durable; `apply` changes the state and
/// gives the events. Bots have none of it and are refused.
package struct UserState: Sendable {
    /// The most relationships that are not over, of each kind.
    static let relationshipLimit = 1_000
    /// The most Unicode scalar values of a note.
    static let noteLength = 256

    let userID: UserID
    let isBot: Bool
    package private(set) var relationships: [UserID: RelationshipSide] = [:]
    private(set) var readMarks: [ChannelID: ReadMark] = [:]
    private(set) var settings: UserSettings
    private(set) var guildSettings: [GuildID: JSONObject] = [:]
    private(set) var notes: [UserID: String] = [:]
    private var throttle = ReceiptThrottle()
    /// Stands for what of this the user's sessions are shown: equal exactly where that is, as good as surely. Without how far
    /// the user has read.
    package private(set) var digest: UInt64 = 0

    package init(_ loaded: LoadedUser) {
        userID = loaded.user.id
        isBot = loaded.user.isBot
        settings = UserSettings(stored: loaded.settings)
        notes = loaded.notes
        for side in loaded.relationships { relationships[side.peerID] = side }
        for stored in loaded.readStates where stored.version > 0 {
            readMarks[stored.state.channelID] = ReadMark(stored)
        }
        for (guildID, bytes) in loaded.guildSettings {
            guildSettings[guildID] = (try? JSON.parse(bytes))?.objectValue
        }
        digest = computeDigest()
    }

    /// The user's friends: who see the user's presence and show theirs.
    var friendIDs: [UserID] {
        relationships.values.filter { $0.kind == .friend }.map(\.peerID).sorted()
    }

    func isFriend(_ peerID: UserID) -> Bool { relationships[peerID]?.kind == .friend }

    /// Whether one of the two has blocked the other (protocol 9.1).
    func isBlocked(with peerID: UserID) -> Bool { relationships[peerID]?.isBlockedEitherWay ?? false }

    /// The relationships that are not over, by the other one's id.
    package var standingRelationships: [RelationshipSide] {
        relationships.values.filter { $0.kind != nil }.sorted { $0.peerID < $1.peerID }
    }

    /// This side of the relationship with somebody; a new one where there is none.
    package func side(with peerID: UserID, at now: Timestamp) -> RelationshipSide {
        relationships[peerID] ?? RelationshipSide(userID: userID, peerID: peerID, since: now)
    }

    // MARK: Receipts on their way

    /// The receipts that may go out now; to be asked after `apply` and at `nextReceipt`.
    mutating func takeReceipts(at now: Timestamp) -> [ReceiptThrottle.Outgoing] { throttle.take(at: now) }

    /// When `takeReceipts` is to be asked again; nil while nothing waits.
    var nextReceipt: Timestamp? { throttle.nextOpening }

    /// What the user's sessions get when somebody else of a DM has read; nil where they are not to know (protocol 10.3).
    func receiptEvent(_ receipt: Receipt) -> UserEvent? {
        guard !isBot, receipt.userID != userID, settings.readReceipts, !isBlocked(with: receipt.userID) else {
            return nil
        }
        return UserEvent(.readReceipt) { writer in
            writer.beginObject()
            writer.field("channel_id", receipt.channelID)
            receipt.writeFields(to: &writer)
            writer.endObject()
        }
    }

    // MARK: Applying

    /// Makes durable changes the state.
    package mutating func apply(_ changes: [UserChange]) -> UserOutcome {
        var outcome = UserOutcome()
        for change in changes { apply(change, &outcome) }
        if changes.contains(where: \.isInDigest) { digest = computeDigest() }
        return outcome
    }

    private mutating func apply(_ change: UserChange, _ outcome: inout UserOutcome) {
        switch change {
        case .relationship(let side, let peer):
            let former = relationships.updateValue(side, forKey: side.peerID)
            tell(of: side, former: former, peer: peer, &outcome)
        case .noticeSent, .noticeTaken:
            break
        case .read(let mark):
            readMarks[mark.channelID] = mark
            if !mark.isSilent { outcome.events.append(mark.event) }
        case .receipt(let receipt, let recipients):
            throttle.offer(ReceiptThrottle.Outgoing(receipt: receipt, recipients: recipients))
        case .settings(let settings, let patch):
            self.settings = settings
            outcome.presenceChanged = patch["status"] != nil || patch["custom_status"] != nil
            outcome.events.append(UserEvent(.userSettingsUpdate) { $0.json(.object(patch)) })
        case .receiptsWithdrawn:
            throttle.withdraw()
        case .guildSettings(let guildID, let object):
            guildSettings[guildID] = object
            outcome.events.append(UserEvent(.userGuildSettingsUpdate) { $0.json(.object(object)) })
        case .note(let note, let peerID):
            notes[peerID] = note.isEmpty ? nil : note
            outcome.events.append(
                UserEvent(.userNoteUpdate) { writer in
                    writer.beginObject()
                    writer.field("id", peerID)
                    writer.field("note", note)
                    writer.endObject()
                })
        }
    }

    private func tell(
        of side: RelationshipSide, former: RelationshipSide?, peer: User, _ outcome: inout UserOutcome
    ) {
        if (former?.isBlockedEitherWay ?? false) != side.isBlockedEitherWay {
            outcome.blockingChanged.append(side.peerID)
        }
        let old = former?.kind
        switch (old, side.kind) {
        case (nil, nil):
            break
        case (let old?, nil):
            let gone = Relationship(userID: userID, peerID: side.peerID, kind: old, since: side.since)
            outcome.events.append(UserEvent(.relationshipRemove) { gone.write(to: &$0, peer: peer) })
        case (let old, let kind?) where old != kind:
            let notify: Bool? = kind == .incoming ? true : nil
            if let standing = side.relationship {
                outcome.events.append(
                    UserEvent(.relationshipAdd) { standing.write(to: &$0, peer: peer, shouldNotify: notify) })
            }
            if kind == .friend { outcome.newFriends.append(side.peerID) }
        default:
            guard former?.nickname != side.nickname, let standing = side.relationship else { break }
            outcome.events.append(UserEvent(.relationshipUpdate) { standing.write(to: &$0, peer: peer) })
        }
    }
}

extension ReadMark {
    /// A mark as it is stored.
    init(_ stored: StoredReadState) {
        self.init(
            channelID: stored.state.channelID, lastMessageID: stored.state.lastMessageID,
            markedCount: stored.markedCount, version: stored.version, isSilent: false, isManual: false)
    }

    /// MESSAGE_ACK.
    var event: UserEvent {
        UserEvent(.messageAck) { writer in
            writer.beginObject()
            writer.field("channel_id", channelID)
            writer.field("message_id", lastMessageID)
            writer.field("version", version)
            if isManual {
                writer.field("manual", true)
                writer.field("mention_count", markedCount)
            }
            writer.endObject()
        }
    }
}

extension Receipt {
    /// The members of a receipt without its channel.
    func writeFields(to writer: inout JSONWriter) {
        writer.field("user_id", userID)
        writer.field("message_id", messageID)
        writer.field("seq", seq)
        writer.field("timestamp", readAt)
    }
}

extension RelationshipSide {
    /// As the contract shows it; nil where the two are nothing to each other.
    var relationship: Relationship? {
        kind.map { Relationship(userID: userID, peerID: peerID, kind: $0, nickname: nickname, since: since) }
    }
}
