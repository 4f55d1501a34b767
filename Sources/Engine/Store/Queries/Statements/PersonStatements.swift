import FluxCore

/// The writes of what belongs to one person, through the lane of the user's slot.
extension Statement {
    /// The account's whole new public state. A name that another person has is a violation of `users_username_key`.
    public static func updateUser(_ user: User) -> Statement {
        Statement(
            Queries.updateUser,
            [
                .id(user.id), .int(user.accentColor), .int(user.publicFlags), .text(user.username),
                .text(user.globalName), .text(user.avatar), .text(user.banner), .text(user.bio), .text(user.pronouns),
                .text(user.email), .text(user.locale),
            ])
    }

    /// One side of a relationship: `side.userID`'s.
    public static func setRelationship(_ side: RelationshipSide) -> Statement {
        Statement(
            Queries.setRelationship,
            [
                .id(side.userID), .id(side.peerID), .int(side.kind?.rawValue ?? 0), .timestamp(side.since),
                .text(side.nickname), .id(side.own.version), .id(side.own.want), .id(side.own.dismissed),
                .bool(side.own.blocks), .id(side.peer.version), .id(side.peer.want), .id(side.peer.dismissed),
                .bool(side.peer.blocks),
            ])
    }

    /// Shows a DM or group DM in the person's list.
    public static func openDirectMessage(_ channelID: ChannelID, userID: UserID) -> Statement {
        Statement(Queries.openDirect, [.id(userID), .id(channelID)])
    }

    /// Takes a DM out of the person's list; the channel stays, and a message later than `newest`, the one that is its newest now,
    /// brings it back.
    public static func closeDirectMessage(
        _ channelID: ChannelID, userID: UserID, newest: MessageID?
    ) -> Statement {
        Statement(Queries.closeDirect, [.id(userID), .id(channelID), .id(newest ?? MessageID(0))])
    }

    /// How far the person has read; `state.mentionCount` is what was marked unread by hand. `version` grows with each
    /// change, an older one that comes late changes nothing.
    public static func setReadState(_ state: ReadState, version: Int64) -> Statement {
        Statement(
            Queries.setReadState,
            [
                .id(state.userID), .id(state.channelID), .id(state.lastMessageID), .int(state.mentionCount),
                .int(version),
            ])
    }

    /// How far the person lets the others of a DM know that they have read (protocol 10.3). Only ever forward.
    public static func setReceipt(_ receipt: Receipt) -> Statement {
        Statement(
            Queries.setReceipt,
            [
                .id(receipt.channelID), .id(receipt.userID), .id(receipt.messageID), .int(receipt.seq),
                .timestamp(receipt.readAt),
            ])
    }

    /// Takes back how far the person let others know, in these DMs, because they do not want to any more.
    public static func deleteReceipts(of userID: UserID, in channelIDs: [ChannelID]) -> Statement {
        Statement(Queries.deleteReceipts, [.id(userID), .ids(channelIDs)])
    }

    /// The person's settings: a JSON object in UTF-8 of at most 64 KiB.
    public static func setSettings(_ settings: [UInt8], userID: UserID) -> Statement {
        Statement(Queries.setSettings, [.id(userID), .bytes(settings)])
    }

    /// The person's settings for one guild.
    public static func setGuildSettings(_ settings: [UInt8], userID: UserID, guildID: GuildID) -> Statement {
        Statement(Queries.setGuildSettings, [.id(userID), .id(guildID), .bytes(settings)])
    }

    /// The person's note on somebody; an empty one is removed.
    public static func setNote(_ note: String, userID: UserID, about otherID: UserID) -> Statement {
        note.isEmpty
            ? Statement(Queries.removeNote, [.id(userID), .id(otherID)])
            : Statement(Queries.setNote, [.id(userID), .id(otherID), .text(note)])
    }

    private enum Queries {
        static let updateUser = PreparedQuery(
            "users.update",
            """
            UPDATE users SET accent_color = $2, public_flags = $3, username = $4, global_name = $5, avatar = $6,
                banner = $7, bio = $8, pronouns = $9, email = $10, locale = $11
            WHERE id = $1
            """, [.int8, .int4, .int4, .text, .text, .text, .text, .text, .text, .text, .text])

        static let setRelationship = PreparedQuery(
            "relationships.set",
            """
            INSERT INTO relationships (user_id, other_id, kind, since, nickname, own_version, own_want, own_dismissed,
                own_blocks, peer_version, peer_want, peer_dismissed, peer_blocks)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            ON CONFLICT (user_id, other_id) DO UPDATE SET kind = excluded.kind, since = excluded.since,
                nickname = excluded.nickname, own_version = excluded.own_version, own_want = excluded.own_want,
                own_dismissed = excluded.own_dismissed, own_blocks = excluded.own_blocks,
                peer_version = excluded.peer_version, peer_want = excluded.peer_want,
                peer_dismissed = excluded.peer_dismissed, peer_blocks = excluded.peer_blocks
            """,
            [
                .int8, .int8, .int2, .timestamptz, .text, .int8, .int8, .int8, .bool, .int8, .int8, .int8, .bool,
            ])

        static let openDirect = PreparedQuery(
            "directMessages.open",
            """
            INSERT INTO dm_members (user_id, channel_id, is_open) VALUES ($1, $2, true)
            ON CONFLICT (user_id, channel_id) DO UPDATE SET is_open = true
            """, [.int8, .int8])

        static let closeDirect = PreparedQuery(
            "directMessages.close",
            """
            INSERT INTO dm_members (user_id, channel_id, is_open, closed_after) VALUES ($1, $2, false, $3)
            ON CONFLICT (user_id, channel_id) DO UPDATE SET is_open = false, closed_after = excluded.closed_after
            """, [.int8, .int8, .int8])

        static let setReadState = PreparedQuery(
            "readStates.set",
            """
            INSERT INTO read_states AS r (user_id, channel_id, last_message_id, mention_count, version)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (user_id, channel_id) DO UPDATE SET last_message_id = excluded.last_message_id,
                mention_count = excluded.mention_count, version = excluded.version
            WHERE r.version < excluded.version
            """, [.int8, .int8, .int8, .int4, .int8])

        static let setReceipt = PreparedQuery(
            "receipts.set",
            """
            INSERT INTO receipts AS r (channel_id, user_id, message_id, seq, read_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (channel_id, user_id) DO UPDATE SET message_id = excluded.message_id, seq = excluded.seq,
                read_at = excluded.read_at
            WHERE r.message_id < excluded.message_id
            """, [.int8, .int8, .int8, .int8, .timestamptz])

        static let deleteReceipts = PreparedQuery(
            "receipts.delete", "DELETE FROM receipts WHERE user_id = $1 AND channel_id = ANY ($2)",
            [.int8, .int8Array])

        static let setSettings = PreparedQuery(
            "settings.set",
            """
            INSERT INTO user_settings (user_id, settings) VALUES ($1, $2)
            ON CONFLICT (user_id) DO UPDATE SET settings = excluded.settings
            """, [.int8, .bytea])

        static let setGuildSettings = PreparedQuery(
            "settings.setForGuild",
            """
            INSERT INTO user_guild_settings (user_id, guild_id, settings) VALUES ($1, $2, $3)
            ON CONFLICT (user_id, guild_id) DO UPDATE SET settings = excluded.settings
            """, [.int8, .int8, .bytea])

        static let setNote = PreparedQuery(
            "notes.set",
            """
            INSERT INTO notes (user_id, other_id, note) VALUES ($1, $2, $3)
            ON CONFLICT (user_id, other_id) DO UPDATE SET note = excluded.note
            """, [.int8, .int8, .text])

        static let removeNote = PreparedQuery(
            "notes.remove", "DELETE FROM notes WHERE user_id = $1 AND other_id = $2", [.int8, .int8])
    }
}
