import FluxCore

/// Settings and notes (protocol 9.5, 5.2).
extension UserState {
    /// The most bytes of the settings for one guild.
    static let guildSettingsByteLimit = 16 * 1024
    /// The most guilds with settings of their own.
    static let guildSettingsLimit = 1_000

    func updateSettings(_ body: JSON, _ planning: UserPlanning) throws(APIError) -> UserPlan {
        let patch = try object(body)
        let merged = try settings.merging(patch)
        var changes: [UserChange] = [.settings(merged, patch: patch)]
        if settings.readReceipts, !merged.readReceipts {
            // Only in DMs are there any, and what is not there is no harm.
            changes.append(.receiptsWithdrawn(readMarks.keys.sorted()))
        }
        return UserPlan(
            changes: patch.isEmpty ? [] : changes, reply: .ok { $0.json(merged.json) })
    }

    func updateGuildSettings(of guildID: GuildID, _ body: JSON) throws(APIError) -> UserPlan {
        let patch = try object(body)
        var merged = guildSettings[guildID] ?? JSONObject()
        for member in patch.members { merged[member.key] = member.value }
        merged["guild_id"] = JSON(guildID)
        guard JSON.object(merged).encoded().count <= Self.guildSettingsByteLimit else { throw .requestTooLarge }
        guard guildSettings[guildID] != nil || guildSettings.count < Self.guildSettingsLimit else {
            throw .tooManyGuilds
        }
        let result = merged
        return UserPlan(
            changes: [.guildSettings(guildID, result)], reply: .ok { $0.json(.object(result)) })
    }

    func showNote(about peerID: UserID) throws(APIError) -> UserPlan {
        guard let note = notes[peerID] else { throw .unknownUser }
        return UserPlan(
            reply: .ok { writer in
                writer.beginObject()
                writer.field("user_id", userID)
                writer.field("note_user_id", peerID)
                writer.field("note", note)
                writer.endObject()
            })
    }

    func setNote(about peerID: UserID, _ body: JSON, _ planning: UserPlanning) throws(APIError) -> UserPlan {
        guard planning.users[peerID] != nil else { throw .unknownUser }
        var reader = BodyReader(body)
        let note = reader.string("note", length: 0...Self.noteLength).value ?? ""
        try reader.finish()
        guard note != notes[peerID, default: ""] else { return UserPlan() }
        return UserPlan(changes: [.note(note, about: peerID)])
    }

    private func object(_ body: JSON) throws(APIError) -> JSONObject {
        try BodyReader(body).finish()
        return body.objectValue ?? JSONObject()
    }
}
