import Distributed
import FluxCluster
import FluxCore
import FluxStore

/// The account's own face.
extension UserActor {
    /// Body: the partial own user. The user's sessions hear it at once, members of their guilds through the guilds.
    func updateProfile(_ command: UserCommand) async throws -> CommandReply {
        guard await turns.enter() else { throw APIError.notCommitted }
        defer { turns.leave() }
        if let reply = try await replyToEarlierTry(of: command) { return reply }
        let changed = try ProfileEdit.apply(command.body, to: user)
        let reply = CommandReply.ok { changed.writeOwn(to: &$0) }
        if changed != user {
            let notices = try guildNotices()
            let statements = [Statement.updateUser(changed)] + (notices.isEmpty ? [] : [.insertOutbox(notices)])
            switch await outcome(of: statements, record(of: command, answered: reply)) {
            case .refused(.constraint("users_username_key", _)):
                throw APIError.form(
                    ["username"], code: "USERNAME_ALREADY_TAKEN", message: "Username is already taken.")
            case let result: try result.get()
            }
            showProfile(changed)
            let (services, targets) = (services, notices.compactMap(\.target))
            Task.detached { await services.hint(targets) }
        }
        return reply
    }

    /// The account's public face changed and is committed.
    distributed func profileChanged() async throws {
        do {
            guard let changed = try await services.userReads.find(userID) else { return }
            showProfile(changed)
            let notices = try guildNotices()
            guard !notices.isEmpty else { return }
            try await commit([.insertOutbox(notices)])
            await services.hint(notices.compactMap(\.target))
        } catch is StoreError { throw APIError.notCommitted }
    }

    private func showProfile(_ changed: User) {
        user = changed
        services.users.remember([user])
        var writer = JSONWriter()
        user.writeOwn(to: &writer)
        emit(.userUpdate, body: writer.bytes)
    }

    private func guildNotices() throws(APIError) -> [OutboxEntry] {
        let now = Timestamp.now()
        var entries: [OutboxEntry] = []
        for guildID in guildIDs {
            entries.append(
                GuildNotice.userChanged(userID).entry(id: try services.identifiers.next(), to: guildID, at: now))
        }
        return entries
    }
}
