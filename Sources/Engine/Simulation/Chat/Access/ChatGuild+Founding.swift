import FluxCore

extension ChatGuild {
    /// Who owns every guild. They have no client.
    static let ownerID = UserID(1)

    /// Of an invite that lets anybody in, for ever.
    var inviteCode: String { id.description }

    /// The guild as it is when the world begins: everybody is a member and sees every channel.
    func founded(with users: [User], at moment: Timestamp) -> GuildRows {
        let everyone: Permissions = [.viewChannel, .sendMessages, .readMessageHistory, .addReactions]
        return GuildRows(
            guild: Guild(id: id, name: id.description, ownerID: Self.ownerID, createdAt: moment),
            everyone: Role(id: id, guildID: id, name: "@everyone", permissions: everyone),
            channels: channels.enumerated().map { place, channel in
                Channel(id: channel, kind: .text, guildID: id, name: channel.description, position: place)
            },
            members: users.map { Member(userID: $0.id, guildID: id, joinedAt: moment) },
            invite: Invite(
                code: inviteCode, guildID: id, channelID: channels.first ?? id, inviterID: Self.ownerID, maxAge: 0,
                createdAt: moment))
    }
}
