import FluxCore

/// The writes of channels and their overwrites. A guild's go through the lane of the guild's slot, a DM's through that
/// of the channel's own.
extension Statement {
    /// A new channel, without its overwrites: each of them is a `putOverwrite` in the same mutation.
    public static func insertChannel(_ channel: Channel) -> Statement {
        Statement(Queries.insert, channelParameters(channel))
    }

    /// The channel's whole new state but for its overwrites and counters.
    public static func updateChannel(_ channel: Channel) -> Statement {
        Statement(Queries.update, channelParameters(channel))
    }

    /// New positions of several channels of one guild.
    public static func updateChannelPositions(_ positions: [ChannelID: Int], guildID: GuildID) -> Statement {
        let ordered = positions.sorted { $0.key < $1.key }
        return Statement(
            Queries.move,
            [.id(guildID), .ids(ordered.map(\.key)), .intArray(ordered.map { Int64($0.value) })])
    }

    /// The channel of a guild goes, with its overwrites and invites; channels under it lose their parent. Its messages
    /// are removed little by little (`Maintenance`).
    public static func deleteChannel(_ id: ChannelID, guildID: GuildID) -> Statement {
        Statement(Queries.delete, [.id(guildID), .id(id)])
    }

    /// When somebody last pinned a message.
    public static func setLastPin(_ moment: Timestamp?, channelID: ChannelID) -> Statement {
        Statement(Queries.setLastPin, [.id(channelID), .timestamp(moment)])
    }

    /// Sets what a channel gives to, or takes from, one role or member.
    public static func putOverwrite(_ overwrite: Overwrite, channelID: ChannelID, guildID: GuildID) -> Statement {
        Statement(
            Queries.putOverwrite,
            [
                .id(guildID), .id(channelID), .id(overwrite.id), .int(Int64(bitPattern: overwrite.allow.rawValue)),
                .int(Int64(bitPattern: overwrite.deny.rawValue)), .int(overwrite.kind.rawValue),
            ])
    }

    /// Takes an overwrite away.
    public static func deleteOverwrite(_ target: Snowflake, channelID: ChannelID, guildID: GuildID) -> Statement {
        Statement(Queries.deleteOverwrite, [.id(guildID), .id(channelID), .id(target)])
    }

    /// Takes all overwrites of a channel away, before a whole new set is put.
    public static func deleteOverwrites(channelID: ChannelID, guildID: GuildID) -> Statement {
        Statement(Queries.deleteOverwrites, [.id(guildID), .id(channelID)])
    }

    private static func channelParameters(_ channel: Channel) -> [SQLValue] {
        [
            .id(channel.id), .id(channel.guildID), .id(channel.parentID), .id(channel.ownerID),
            .int(channel.position), .int(channel.slowmodeSeconds), .int(channel.bitrate), .int(channel.userLimit),
            .int(channel.kind.rawValue), .bool(channel.nsfw), .text(channel.name), .text(channel.topic),
            .text(channel.icon), .ids(channel.recipients), .timestamp(channel.lastPinAt),
        ]
    }

    private enum Queries {
        static let types: [SQLType] = [
            .int8, .int8, .int8, .int8, .int4, .int4, .int4, .int4, .int2, .bool, .text, .text, .text, .int8Array,
            .timestamptz,
        ]

        static let insert = PreparedQuery(
            "channels.insert",
            """
            INSERT INTO channels (id, guild_id, parent_id, owner_id, position, slowmode_seconds, bitrate, user_limit,
                kind, nsfw, name, topic, icon, recipients, last_pin_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            """, types)

        // The guild of a channel never changes, it is named to make that sure.
        static let update = PreparedQuery(
            "channels.update",
            """
            UPDATE channels SET parent_id = $3, owner_id = $4, position = $5, slowmode_seconds = $6, bitrate = $7,
                user_limit = $8, kind = $9, nsfw = $10, name = $11, topic = $12, icon = $13, recipients = $14,
                last_pin_at = $15
            WHERE id = $1 AND guild_id IS NOT DISTINCT FROM $2
            """, types)

        static let move = PreparedQuery(
            "channels.move",
            """
            UPDATE channels c SET position = p.position FROM unnest($2, $3) AS p (id, position)
            WHERE c.id = p.id AND c.guild_id = $1
            """, [.int8, .int8Array, .int4Array])

        static let delete = PreparedQuery(
            "channels.delete",
            """
            WITH open AS (DELETE FROM overwrites WHERE guild_id = $1 AND channel_id = $2),
                entries AS (DELETE FROM invites WHERE guild_id = $1 AND channel_id = $2),
                children AS (UPDATE channels SET parent_id = NULL WHERE guild_id = $1 AND parent_id = $2)
            UPDATE channels SET deleted_at = now() WHERE id = $2 AND guild_id = $1 AND deleted_at IS NULL
            """, [.int8, .int8])

        static let setLastPin = PreparedQuery(
            "channels.setLastPin", "UPDATE channels SET last_pin_at = $2 WHERE id = $1", [.int8, .timestamptz])

        static let putOverwrite = PreparedQuery(
            "overwrites.put",
            """
            INSERT INTO overwrites (guild_id, channel_id, target_id, allow_bits, deny_bits, target_kind)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (guild_id, channel_id, target_id) DO UPDATE SET allow_bits = excluded.allow_bits,
                deny_bits = excluded.deny_bits, target_kind = excluded.target_kind
            """, [.int8, .int8, .int8, .int8, .int8, .int2])

        static let deleteOverwrite = PreparedQuery(
            "overwrites.delete",
            "DELETE FROM overwrites WHERE guild_id = $1 AND channel_id = $2 AND target_id = $3", [.int8, .int8, .int8])

        static let deleteOverwrites = PreparedQuery(
            "overwrites.deleteAll", "DELETE FROM overwrites WHERE guild_id = $1 AND channel_id = $2", [.int8, .int8])
    }
}
