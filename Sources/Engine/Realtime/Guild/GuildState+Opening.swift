import FluxCore

/// What a member's session is shown when it opens (protocol 6.6, GUILD_CREATE).
extension GuildState {
    /// The `d` of GUILD_CREATE without `unavailable`, and what the member may view; nil for those who are no members.
    ///
    /// Put together from parts that are encoded once for all sessions.
    mutating func opening(
        for userID: UserID, largeThreshold: Int, wantsPresences: Bool
    ) -> (visibility: ChannelVisibility, body: [UInt8])? {
        guard let member = members[userID]?.member, let visibility = visibility(of: userID) else { return nil }
        let isLarge = members.count > largeThreshold
        let shown = isLarge ? largeGuildMembers(around: userID, wantsPresences: wantsPresences) : memberIDs
        var writer = JSONWriter(capacity: 2048 + visibility.channels.count * 420 + shown.count * 480)
        writer.beginObject()
        writer.rawMembers(guildBody())
        writer.field("joined_at", member.joinedAt)
        writer.field("member_count", members.count)
        writer.field("large", isLarge)
        writer.key("channels")
        writer.beginArray()
        for id in channelOrder() where visibility.contains(id) {
            if let channel = channels[id] { writer.raw(bodies.channel(channel)) }
        }
        writer.endArray()
        writer.key("members")
        writer.beginArray()
        for id in shown {
            if let body = fullBody(of: id) { writer.raw(body) }
        }
        writer.endArray()
        writer.key("presences")
        writer.beginArray()
        if wantsPresences {
            for id in shown { presences[id]?.write(to: &writer, guildID: guild.id) }
        }
        writer.endArray()
        for name in Self.emptyLists { writer.emptyListField(name) }
        writer.endObject()
        return (visibility, writer.bytes)
    }

    private static let emptyLists: [StaticString] = [
        "threads", "voice_states", "stage_instances", "guild_scheduled_events", "soundboard_sounds",
    ]

    /// In a large guild: the member's own, and everyone with a presence if these are shown.
    private func largeGuildMembers(around userID: UserID, wantsPresences: Bool) -> [UserID] {
        guard wantsPresences else { return [userID] }
        return Set(presences.keys).union([userID]).sorted()
    }

    private mutating func guildBody() -> [UInt8] {
        if let known = bodies.guild { return known }
        var writer = JSONWriter(capacity: 2048)
        guild.writeFields(to: &writer, roles: orderedRoles)
        return bodies.keepGuild(writer.bytes)
    }

    private mutating func channelOrder() -> [ChannelID] {
        if let known = bodies.channelOrder { return known }
        return bodies.keepChannelOrder(orderedChannels.map(\.id))
    }
}
