import FluxCore

/// Opcode 8: members on demand (protocol 7.9, GUILD_MEMBERS_CHUNK).
extension GuildState {
    /// The bodies of the chunks that answer a request, at least one.
    mutating func chunks(for request: MemberRequest) -> [[UInt8]] {
        let found: [UserID]
        var missing: [UserID] = []
        if request.userIDs.isEmpty {
            found = search(request.query, limit: request.limit == 0 ? members.count : request.limit)
        } else {
            found = request.userIDs.filter(isMember)
            missing = request.userIDs.filter { !isMember($0) }
        }
        let count = max(1, (found.count + GuildLimits.chunk - 1) / GuildLimits.chunk)
        return (0..<count).map { index in
            let part = found[(index * GuildLimits.chunk)..<min(found.count, (index + 1) * GuildLimits.chunk)]
            return chunk(part, index: index, count: count, missing: missing, request)
        }
    }

    private mutating func chunk(
        _ part: ArraySlice<UserID>, index: Int, count: Int, missing: [UserID], _ request: MemberRequest
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 256 + part.count * 512)
        writer.beginObject()
        writer.field("guild_id", guild.id)
        writer.key("members")
        writer.beginArray()
        for id in part {
            if let body = fullBody(of: id) { writer.raw(body) }
        }
        writer.endArray()
        writer.field("chunk_index", index)
        writer.field("chunk_count", count)
        writer.field("not_found", missing)
        if request.wantsPresences {
            writer.key("presences")
            writer.beginArray()
            for id in part { presences[id]?.write(to: &writer, guildID: guild.id) }
            writer.endArray()
        }
        if let nonce = request.nonce { writer.field("nonce", nonce) }
        writer.endObject()
        return writer.bytes
    }
}
