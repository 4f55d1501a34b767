import FluxCore

/// Showing, making, changing and deleting channels (protocol 5.4 and 5.5).
extension GuildState {
    mutating func listChannels(for actor: GuildActing) -> GuildPlan {
        let visible = visibility(of: actor.userID)?.channels ?? []
        let shown = orderedChannels.filter { visible.contains($0.id) }
        return GuildPlan(
            reply: .ok { writer in
                writer.beginArray()
                for channel in shown { channel.write(to: &writer) }
                writer.endArray()
            })
    }

    mutating func showChannel(
        _ id: ChannelID, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        _ = try checkedPermissions(of: actor.userID, in: id, at: request.now)
        return GuildPlan(reply: .ok { channels[id]?.write(to: &$0) })
    }

    func createChannel(_ request: GuildRequest, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        try actor.require(.manageChannels)
        if case .array(let list)? = request.body["permission_overwrites"], !list.isEmpty {
            try actor.require(.manageRoles)
        }
        var reader = request.reader
        let name = reader.require("name", reader.name("name", GuildLimits.channelName))
        let kind = reader.choice("type", of: ChannelKind.ofGuild).value.flatMap(ChannelKind.init(rawValue:)) ?? .text
        var channel = Channel(
            id: ChannelID(0), kind: kind, guildID: guild.id, name: name ?? "", position: nextPosition)
        readFields(of: &channel, &reader)
        channel.parentID = readParent(of: channel, &reader).value
        let overwrites = readOverwrites(&reader) ?? []
        try reader.finish()
        if channels.count >= GuildLimits.channels { throw .tooManyChannels }
        try checkGrants(from: [], to: overwrites, held: actor.permissions, actor)
        // A channel that asks for nothing of its own begins with what its category has.
        channel.overwrites =
            overwrites.isEmpty ? channel.parentID.flatMap { channels[$0]?.overwrites } ?? [] : overwrites
        channel.id = try request.mint()
        return GuildPlan(changes: [.channelCreated(channel)], reply: .created { channel.write(to: &$0) })
    }

    mutating func updateChannel(
        _ id: ChannelID, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        let held = try checkedPermissions(of: actor.userID, in: id, at: request.now)
        guard held.contains(.manageChannels), let old = channels[id] else { throw .missingPermissions }
        if request.reader.has("permission_overwrites"), !held.contains(.manageRoles) { throw .missingPermissions }
        var reader = request.reader
        var channel = old
        if let name = reader.name("name", GuildLimits.channelName).value { channel.name = name }
        if let kind = reader.choice("type", of: [0, 5]).value.flatMap(ChannelKind.init(rawValue:)) {
            if old.kind == .text || old.kind == .news {
                channel.kind = kind
            } else if kind != old.kind {
                reader.refuse("type", code: "CHANNEL_TYPE_INVALID", message: "This channel cannot change its kind.")
            }
        }
        readFields(of: &channel, &reader)
        switch readParent(of: channel, &reader) {
        case .absent: break
        case .null: channel.parentID = nil
        case .value(let parentID): channel.parentID = parentID
        }
        if let overwrites = readOverwrites(&reader) { channel.overwrites = overwrites }
        try reader.finish()
        try checkGrants(from: old.overwrites, to: channel.overwrites, held: held, actor)
        return GuildPlan(
            changes: channel == old ? [] : [.channelUpdated(channel)], reply: .ok { channel.write(to: &$0) })
    }

    mutating func deleteChannel(
        _ id: ChannelID, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        let held = try checkedPermissions(of: actor.userID, in: id, at: request.now)
        guard held.contains(.manageChannels), let channel = channels[id] else { throw .missingPermissions }
        var changes: [GuildChange] = []
        for var child in orderedChannels where child.parentID == id {
            child.parentID = nil
            changes.append(.channelUpdated(child))
        }
        for invite in invites.values.sorted(by: { $0.code < $1.code }) where invite.channelID == id {
            changes.append(.inviteDeleted(code: invite.code))
        }
        changes.append(.channelDeleted(id))
        var changed = guild
        if changed.systemChannelID == id { changed.systemChannelID = nil }
        if changed.afkChannelID == id { changed.afkChannelID = nil }
        if changed.rulesChannelID == id { changed.rulesChannelID = nil }
        if changed.publicUpdatesChannelID == id { changed.publicUpdatesChannelID = nil }
        if changed != guild { changes.append(.guildUpdated(changed)) }
        return GuildPlan(changes: changes, reply: .ok { channel.write(to: &$0) })
    }

    func reorderChannels(_ request: GuildRequest, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        try actor.require(.manageChannels)
        guard case .array(let elements) = request.body, elements.count <= GuildLimits.channels else {
            throw .form([], code: "LIST_TYPE_CONVERT", message: "Only iterables may be used in a ListType")
        }
        var moved: [ChannelID: Channel] = [:]
        var errors = FormErrors()
        for (index, element) in elements.enumerated() {
            var reader = BodyReader(element, path: [String(index)])
            let id = reader.require("id", reader.snowflake("id"))
            let position = reader.integer("position", in: 0...GuildLimits.channels * 2).value
            let locks = reader.bool("lock_permissions").value ?? false
            if let id, var channel = moved[id] ?? channels[id] {
                if let position { channel.position = position }
                switch readParent(of: channel, &reader) {
                case .absent: break
                case .null: channel.parentID = nil
                case .value(let parentID): channel.parentID = parentID
                }
                if locks, let parent = channel.parentID.flatMap({ channels[$0] }) {
                    channel.overwrites = parent.overwrites
                }
                moved[id] = channel
            } else if id != nil {
                reader.refuse("id", code: "CHANNEL_INVALID", message: "No such channel of the guild.")
            }
            errors.entries += reader.errors.entries
        }
        try errors.check()
        let changed = moved.values.filter { channels[$0.id] != $0 }.sorted { $0.id < $1.id }
        for channel in changed {
            guard let old = channels[channel.id], old.overwrites != channel.overwrites else { continue }
            try actor.require(.manageRoles)
            try checkGrants(from: old.overwrites, to: channel.overwrites, held: actor.permissions, actor)
        }
        return GuildPlan(changes: changed.map { .channelUpdated($0) }, reply: .nothing)
    }

    private var nextPosition: Int {
        (channels.values.map(\.position).max() ?? -1) + 1
    }

    /// Fields that a new and a changed channel share.
    private func readFields(of channel: inout Channel, _ reader: inout BodyReader) {
        reader.integer("position", in: 0...GuildLimits.channels * 2).apply(to: &channel.position, default: 0)
        reader.string("topic", length: GuildLimits.topic).apply(to: &channel.topic)
        if channel.topic?.isEmpty == true { channel.topic = nil }
        reader.bool("nsfw").apply(to: &channel.nsfw, default: false)
        reader.integer("rate_limit_per_user", in: GuildLimits.slowmode).apply(to: &channel.slowmodeSeconds, default: 0)
        reader.integer("bitrate", in: GuildLimits.bitrate).apply(to: &channel.bitrate, default: 64_000)
        reader.integer("user_limit", in: GuildLimits.userLimit).apply(to: &channel.userLimit, default: 0)
    }

    private func readParent(of channel: Channel, _ reader: inout BodyReader) -> BodyField<ChannelID> {
        let field = reader.snowflake("parent_id")
        guard let parentID = field.value else { return field }
        guard let parent = channels[parentID], parent.kind == .category, channel.kind != .category else {
            reader.refuse("parent_id", code: "CHANNEL_PARENT_INVALID", message: "Not a category of this guild.")
            return .absent
        }
        let siblings = channels.values.count { $0.parentID == parentID && $0.id != channel.id }
        guard siblings < GuildLimits.children else {
            reader.refuse(
                "parent_id", code: "CHANNEL_PARENT_MAX_CHANNELS",
                message: "Maximum number of channels in category reached (\(GuildLimits.children))")
            return .absent
        }
        return field
    }
}
