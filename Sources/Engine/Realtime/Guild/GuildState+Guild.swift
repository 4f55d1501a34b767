import FluxCore

/// Making, showing, changing and leaving the guild itself.
extension GuildState {
    /// Founds a guild: the state that `.create` makes where there is none.
    ///
    /// - Parameter id: minted by the edge, the key of the actor.
    static func found(_ id: GuildID, _ command: GuildCommand, _ planning: GuildPlanning) throws(APIError) -> GuildPlan {
        let request = GuildRequest(command, planning)
        guard let user = planning.users[request.callerID] else { throw .unauthorized }
        var reader = request.reader
        let name = reader.require("name", reader.name("name", GuildLimits.guildName))
        let icon = reader.imageHash("icon").value
        let wanted = reader.list("channels", count: 0...GuildLimits.channels).value ?? []
        var channels: [Channel] = []
        for (index, element) in wanted.enumerated() {
            var inner = BodyReader(element, path: ["channels", String(index)])
            let name = inner.require("name", inner.name("name", GuildLimits.channelName))
            let kind = inner.choice("type", of: ChannelKind.ofGuild).value.flatMap(ChannelKind.init(rawValue:)) ?? .text
            let topic = inner.string("topic", length: GuildLimits.topic).value
            reader.merge(inner)
            if let name {
                channels.append(
                    Channel(
                        id: try request.mint(), kind: kind, guildID: id, name: name, position: index, topic: topic))
            }
        }
        try reader.finish()
        guard let name else { throw .internalFailure }
        if channels.isEmpty {
            channels = [Channel(id: try request.mint(), kind: .text, guildID: id, name: "general")]
        }
        let founding = GuildFounding(
            guild: Guild(
                id: id, name: name, ownerID: user.id, icon: icon,
                systemChannelID: channels.first { $0.kind == .text }?.id),
            everyone: Role(id: id, guildID: id, name: "@everyone", permissions: .everyoneDefault),
            channels: channels,
            owner: Member(userID: user.id, guildID: id, joinedAt: request.now), user: user)
        let state = GuildState(founding)
        return GuildPlan(
            changes: [.guildCreated(founding)], reply: .created { state.writeGuild(to: &$0, withCounts: false) })
    }

    func showGuild(withCounts: Bool) -> GuildPlan {
        GuildPlan(reply: .ok { writeGuild(to: &$0, withCounts: withCounts) })
    }

    func summary(for actor: GuildActing, withCounts: Bool) -> GuildPlan {
        GuildPlan(
            reply: .ok { writer in
                writer.beginObject()
                writer.field("id", guild.id)
                writer.field("name", guild.name)
                writer.field("icon", guild.icon)
                writer.field("banner", guild.banner)
                writer.field("owner", actor.isOwner)
                writer.field("permissions", actor.permissions)
                writer.field("features", guild.features)
                if withCounts { writeCounts(to: &writer) }
                writer.endObject()
            })
    }

    func updateGuild(_ request: GuildRequest, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        try actor.require(.manageGuild)
        // Who may give the guild away is a question of rights, and so comes before the form of the body.
        if !actor.isOwner, request.reader.has("owner_id") { throw .missingPermissions }
        var reader = request.reader
        var changed = guild
        if let name = reader.name("name", GuildLimits.guildName).value { changed.name = name }
        reader.string("description", length: GuildLimits.description).apply(to: &changed.description)
        reader.imageHash("icon").apply(to: &changed.icon)
        reader.imageHash("splash").apply(to: &changed.splash)
        reader.imageHash("banner").apply(to: &changed.banner)
        channelID("system_channel_id", of: [.text, .news], &reader).apply(to: &changed.systemChannelID)
        channelID("afk_channel_id", of: [.voice], &reader).apply(to: &changed.afkChannelID)
        channelID("rules_channel_id", of: [.text, .news], &reader).apply(to: &changed.rulesChannelID)
        channelID("public_updates_channel_id", of: [.text, .news], &reader).apply(to: &changed.publicUpdatesChannelID)
        reader.choice("afk_timeout", of: [60, 300, 900, 1800, 3600]).apply(to: &changed.afkTimeout, default: 300)
        reader.integer("system_channel_flags", in: 0...0xFFFF).apply(to: &changed.systemChannelFlags, default: 0)
        reader.choice("verification_level", of: [0, 1, 2, 3, 4]).apply(to: &changed.verificationLevel, default: 0)
        reader.choice("default_message_notifications", of: [0, 1])
            .apply(to: &changed.defaultMessageNotifications, default: 0)
        reader.choice("explicit_content_filter", of: [0, 1, 2]).apply(to: &changed.explicitContentFilter, default: 0)
        reader.string("preferred_locale", length: 2...16).apply(to: &changed.preferredLocale, default: "en-US")
        if let ownerID = reader.snowflake("owner_id").value {
            if let heir = members[ownerID], !heir.user.isBot {
                changed.ownerID = ownerID
            } else {
                reader.refuse("owner_id", code: "INVALID_OWNER", message: "The new owner must be a member and no bot.")
            }
        }
        try reader.finish()
        let reply = CommandReply.ok { writeGuild(changed, to: &$0, withCounts: false) }
        return GuildPlan(changes: changed == guild ? [] : [.guildUpdated(changed)], reply: reply)
    }

    func deleteGuild(_ actor: GuildActing) throws(APIError) -> GuildPlan {
        guard actor.isOwner else { throw .missingPermissions }
        return GuildPlan(changes: [.guildDeleted], reply: .nothing)
    }

    func leave(_ actor: GuildActing) throws(APIError) -> GuildPlan {
        // A guild is never without its owner: it is given away or deleted first.
        guard !actor.isOwner else { throw .missingPermissions }
        return GuildPlan(changes: departure(of: actor.userID), reply: .nothing)
    }

    /// The guild object of REST and GUILD_UPDATE.
    func writeGuild(_ shown: Guild? = nil, to writer: inout JSONWriter, withCounts: Bool) {
        writer.beginObject()
        (shown ?? guild).writeFields(to: &writer, roles: orderedRoles)
        if withCounts { writeCounts(to: &writer) }
        writer.endObject()
    }

    private func writeCounts(to writer: inout JSONWriter) {
        writer.field("approximate_member_count", members.count)
        writer.field("approximate_presence_count", presences.count)
    }

    /// A channel of some kinds that a field of the guild refers to.
    private func channelID(
        _ key: String, of kinds: Set<ChannelKind>, _ reader: inout BodyReader
    ) -> BodyField<ChannelID> {
        let field = reader.snowflake(key)
        guard let id = field.value else { return field }
        if let kind = channels[id]?.kind, kinds.contains(kind) { return field }
        reader.refuse(key, code: "CHANNEL_INVALID", message: "No such channel of the guild, or not of the right kind.")
        return .absent
    }
}

extension ChannelKind {
    /// The `type`s that a guild's channel may have.
    static let ofGuild = allCases.filter(\.isOfGuild).map(\.rawValue)
}

extension BodyReader {
    /// A name: white space around it is cut off, and something must be left.
    mutating func name(_ key: String, _ length: ClosedRange<Int>) -> BodyField<String> {
        let field = string(key, length: length)
        guard let text = field.value else { return field }
        let trimmed = text.trimmed
        guard !trimmed.isEmpty else {
            refuse(key, code: "BASE_TYPE_REQUIRED", message: "This field is required")
            return .absent
        }
        return .value(trimmed)
    }

    /// The hash of an image that the edge has stored: 32 hexadecimal digits, `a_` in front of animated ones.
    mutating func imageHash(_ key: String) -> BodyField<String> {
        let field = string(key, length: 1...34)
        guard let text = field.value else { return field }
        let digits = text.hasPrefix("a_") ? text.dropFirst(2) : text[...]
        let isHash =
            digits.utf8.count == 32
            && digits.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard isHash else {
            refuse(key, code: "IMAGE_INVALID", message: "Invalid image data")
            return .absent
        }
        return field
    }
}

extension String {
    /// Without white space at its ends.
    var trimmed: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}
