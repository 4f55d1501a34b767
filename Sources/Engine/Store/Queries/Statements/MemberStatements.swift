import FluxCore

/// The writes of a guild's members, bans and invites, through the lane of the guild's slot.
extension Statement {
    /// Somebody joined. One who is a member already takes the new state.
    public static func insertMember(_ member: Member) -> Statement {
        Statement(Queries.insertMember, memberParameters(member))
    }

    /// The member's whole new state.
    public static func updateMember(_ member: Member) -> Statement {
        Statement(Queries.updateMember, memberParameters(member))
    }

    /// Somebody left or was removed; overwrites for that member go too.
    public static func deleteMember(_ userID: UserID, guildID: GuildID) -> Statement {
        Statement(Queries.deleteMember, [.id(guildID), .id(userID)])
    }

    /// Somebody may not enter any more. A ban that stands keeps its reason and its time.
    public static func insertBan(_ ban: Ban, by moderator: UserID?) -> Statement {
        Statement(
            Queries.insertBan,
            [.id(ban.guildID), .id(ban.userID), .id(moderator), .timestamp(ban.createdAt), .text(ban.reason)])
    }

    /// A ban is lifted.
    public static func deleteBan(_ userID: UserID, guildID: GuildID) -> Statement {
        Statement(Queries.deleteBan, [.id(guildID), .id(userID)])
    }

    /// A new invite. A code that exists is a violation of `invites_pkey`.
    public static func insertInvite(_ invite: Invite) -> Statement {
        Statement(
            Queries.insertInvite,
            [
                .text(invite.code), .id(invite.guildID), .id(invite.channelID), .id(invite.inviterID),
                .int(invite.maxAge), .int(invite.maxUses), .int(invite.uses), .bool(invite.temporary),
                .timestamp(invite.createdAt), .timestamp(invite.expiresAt),
            ])
    }

    /// Somebody came in by an invite. Whether it still lets people in is the guild's to know.
    public static func useInvite(_ code: String) -> Statement {
        Statement(Queries.useInvite, [.text(code)])
    }

    /// An invite is withdrawn.
    public static func deleteInvite(_ code: String) -> Statement {
        Statement(Queries.deleteInvite, [.text(code)])
    }

    private static func memberParameters(_ member: Member) -> [SQLValue] {
        [
            .id(member.guildID), .id(member.userID), .ids(member.roles), .timestamp(member.joinedAt),
            .timestamp(member.timedOutUntil), .int(member.flags), .bool(member.deaf), .bool(member.mute),
            .bool(member.pending), .text(member.nick), .text(member.avatar),
        ]
    }

    private enum Queries {
        static let types: [SQLType] = [
            .int8, .int8, .int8Array, .timestamptz, .timestamptz, .int4, .bool, .bool, .bool, .text, .text,
        ]

        static let insertMember = PreparedQuery(
            "members.insert",
            """
            INSERT INTO members (guild_id, user_id, roles, joined_at, timed_out_until, flags, deaf, mute, pending, nick,
                avatar)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (guild_id, user_id) DO UPDATE SET roles = excluded.roles, joined_at = excluded.joined_at,
                timed_out_until = excluded.timed_out_until, flags = excluded.flags, deaf = excluded.deaf,
                mute = excluded.mute, pending = excluded.pending, nick = excluded.nick, avatar = excluded.avatar
            """, types)

        static let updateMember = PreparedQuery(
            "members.update",
            """
            UPDATE members SET roles = $3, joined_at = $4, timed_out_until = $5, flags = $6, deaf = $7, mute = $8,
                pending = $9, nick = $10, avatar = $11
            WHERE guild_id = $1 AND user_id = $2
            """, types)

        static let deleteMember = PreparedQuery(
            "members.delete",
            """
            WITH open AS (DELETE FROM overwrites WHERE guild_id = $1 AND target_id = $2)
            DELETE FROM members WHERE guild_id = $1 AND user_id = $2
            """, [.int8, .int8])

        static let insertBan = PreparedQuery(
            "bans.insert",
            """
            INSERT INTO bans (guild_id, user_id, banned_by, created_at, reason) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (guild_id, user_id) DO NOTHING
            """, [.int8, .int8, .int8, .timestamptz, .text])

        static let deleteBan = PreparedQuery(
            "bans.delete", "DELETE FROM bans WHERE guild_id = $1 AND user_id = $2", [.int8, .int8])

        static let insertInvite = PreparedQuery(
            "invites.insert",
            """
            INSERT INTO invites (code, guild_id, channel_id, inviter_id, max_age, max_uses, uses, temporary, created_at,
                expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """, [.text, .int8, .int8, .int8, .int4, .int4, .int4, .bool, .timestamptz, .timestamptz])

        static let useInvite = PreparedQuery(
            "invites.use", "UPDATE invites SET uses = uses + 1 WHERE code = $1", [.text])

        static let deleteInvite = PreparedQuery("invites.delete", "DELETE FROM invites WHERE code = $1", [.text])
    }
}
