import Distributed
import FluxCluster
import FluxCore
import FluxStore

extension ChannelActor {
    // MARK: Working on a message

    /// Runs an operation on a message that exists. While one runs, the message's newest state stays in memory, so that another
    /// operation decides from it and not from what Postgres has so far.
    /// - Throws: `.unknownMessage` if there is none, `.notCommitted` if it cannot be read now.
    func withMessage<Value>(
        _ id: MessageID, _ operation: (isolated ChannelActor, ActiveMessage, Message) async throws -> Value
    ) async throws -> Value {
        let entry = active[id] ?? ActiveMessage()
        active[id] = entry
        entry.users += 1
        defer {
            entry.users -= 1
            if entry.users == 0 { active[id] = nil }
        }
        if entry.message == nil { try await load(id, into: entry) }
        guard let message = entry.message else { throw APIError.unknownMessage }
        return try await operation(self, entry, message)
    }

    private func load(_ id: MessageID, into entry: ActiveMessage) async throws {
        if let message = state.tail[id] {
            entry.message = message
            return
        }
        guard !entry.isDeleted else { return }
        let loading: Task<Message?, any Error>
        if let running = entry.loading {
            loading = running
        } else {
            let (messages, channelID, guildID) = (services.messages, channelID, state.guildID)
            loading = Task { try await messages.find(id, in: channelID, guildID: guildID) }
            entry.loading = loading
        }
        let loaded: Message?
        do { loaded = try await loading.value } catch { throw APIError.notCommitted }
        if entry.message == nil, !entry.isDeleted { entry.message = loaded }
    }

    // MARK: Edit

    func edit(_ id: MessageID, _ command: ChannelCommand, attachments new: [Attachment]) async throws -> CommandReply {
        let permissions = try permissions(of: command.caller)
        try requireMessages()
        let edited = try await withMessage(id) { channel, entry, message in
            let edit = try MessageEdit(json: command.body)
            let isAuthor = message.authorID == command.caller.userID
            if !isAuthor {
                guard edit.changesFlagsOnly else { throw APIError.notAuthor }
                guard permissions.contains(.manageMessages) else { throw APIError.missingPermissions }
            }
            if !new.isEmpty, !permissions.contains(.attachFiles) { throw APIError.missingPermissions }
            let changed = try channel.apply(edit, to: message, new: new, permissions: permissions)
            var right = WriteRight(caller: command.caller)
            if !isAuthor { right.needed.insert(.manageMessages) }
            if !new.isEmpty { right.needed.insert(.attachFiles) }
            try await channel.store(changed, in: entry, by: right)
            return changed
        }
        return CommandReply(status: 200, body: try await render(edited, for: command.caller.userID))
    }

    private func apply(
        _ edit: MessageEdit, to message: Message, new: [Attachment], permissions: Permissions
    ) throws(APIError) -> Message {
        var changed = message
        // Those of an edit that is made again are there.
        let new = new.filter { file in !message.attachments.contains { $0.id == file.id } || edit.attachments != nil }
        if let content = edit.content { changed.content = content }
        if let embeds = edit.embeds { changed.embeds = embeds }
        if let components = edit.components { changed.components = components }
        if let flags = edit.flags { changed.flags = flags }
        if let kept = edit.attachments {
            let ids = Set(kept.map { Snowflake($0.id) })
            changed.attachments = message.attachments.filter { ids.contains($0.id) } + new
        } else {
            changed.attachments += new
        }
        let isEmpty =
            changed.content.allSatisfy(\.isWhitespace) && changed.embeds == .array([])
            && changed.components == .array([]) && changed.attachments.isEmpty && changed.stickerIDs.isEmpty
        guard !isEmpty else { throw .emptyMessage }
        if edit.content != nil {
            let scanned = (edit.allowedMentions ?? .everything).filter(ScannedMentions(scanning: changed.content))
            let mentions = resolveMentions(scanned, permissions: permissions)
            changed.mentions = mentions.users.map(\.id)
            changed.mentionRoles = mentions.roles
            changed.mentionEveryone = mentions.everyone
        }
        if !edit.changesFlagsOnly { changed.editedAt = .now() }
        return changed
    }

    /// Shows and commits a message's new state as a MESSAGE_UPDATE: the whole message (protocol 7.9).
    func store(_ changed: Message, in entry: ActiveMessage, by right: WriteRight?) async throws {
        var author = conversation.participant(changed.authorID)
        if author == nil, let user = try await services.users.user(changed.authorID) {
            author = Participant(user: user, member: nil, memberWithUser: nil)
        }
        guard let author else { throw APIError.unknownMessage }
        let referenced = await referencedBody(of: changed)
        guard !entry.isDeleted, let former = entry.message else { throw APIError.unknownMessage }
        try await record(
            .messageUpdate, about: changed.id, by: right,
            makeBody: { self.updateBody(of: changed, by: author, referenced: referenced, sequence: $0) },
            makeChange: { .updateMessage(MessageRow(changed), $0) },
            messages: [MessageTransition(former: former, message: changed)],
            shown: { _ in entry.message = changed })
    }

    /// The body of a MESSAGE_UPDATE.
    func updateBody(
        of message: Message, by author: Participant, referenced: Message.Referenced, sequence: SequenceNumber
    ) -> [UInt8] {
        var writer = JSONWriter()
        var shown = message
        shown.seq = sequence
        shown.epoch = state.epoch
        let mentions = message.mentions.compactMap {
            conversation.participant($0)?.user ?? services.users.cached($0)
        }
        shown.write(
            to: &writer, author: author.user, mentions: mentions, referenced: referenced,
            guildEvent: state.guildID.map { Message.GuildContext(guildID: $0, member: author.member) },
            mediaBase: services.settings.mediaBase)
        return writer.bytes
    }

    func referencedBody(of message: Message) async -> Message.Referenced {
        guard message.reference != nil else { return .absent }
        return await services.renderer.referenced(by: [message])[message.id] ?? .deleted
    }

    // MARK: Delete

    func delete(_ id: MessageID, _ command: ChannelCommand) async throws -> CommandReply {
        let permissions = try permissions(of: command.caller)
        try requireMessages()
        try await withMessage(id) { channel, entry, message in
            let isAuthor = message.authorID == command.caller.userID
            guard isAuthor || permissions.contains(.manageMessages) else {
                throw channel.isDirect ? APIError.notInDirectMessage : APIError.missingPermissions
            }
            guard !entry.isDeleted else { throw APIError.unknownMessage }
            try await channel.record(
                .messageDelete, about: id,
                by: WriteRight(caller: command.caller, needed: isAuthor ? [] : .manageMessages),
                makeBody: { channel.body.messageDelete(id, sequence: $0) },
                makeChange: { .deleteMessages([id], channel.channelID, $0) },
                messages: [MessageTransition(former: entry.message ?? message, message: nil)],
                shown: { _ in entry.markDeleted() })
        }
        return .nothing
    }

    func bulkDelete(_ command: ChannelCommand) async throws -> CommandReply {
        guard !isDirect else {
            _ = try permissions(of: command.caller)
            throw APIError.notInDirectMessage
        }
        try require(.manageMessages, of: command.caller)
        try requireMessages()
        let ids = try Self.bulkIDs(command.body, now: services.clock.wallMilliseconds)
        await settle()
        let found: [Message]
        do { found = try await services.messages.batch(ids, in: channelID, guildID: state.guildID) } catch {
            throw APIError.notCommitted
        }
        let deleted = found.map(\.id).filter { !(active[$0]?.isDeleted ?? false) }
        guard !deleted.isEmpty else {
            try await commitNothing()
            return .nothing
        }
        try await record(
            .messageDeleteBulk, about: nil, by: WriteRight(caller: command.caller, needed: .manageMessages),
            makeBody: { self.body.messageDeleteBulk(deleted, sequence: $0) },
            makeChange: { .deleteMessages(deleted, self.channelID, $0) },
            messages: transitions(found, deleted),
            shown: { channel in for id in deleted { channel.active[id]?.markDeleted() } })
        return .nothing
    }

    /// The deletion of those of the messages that are named, each as its newest state is.
    private func transitions(_ messages: [Message], _ deleted: [MessageID]) -> [MessageTransition] {
        let deleted = Set(deleted)
        return messages.filter { deleted.contains($0.id) }.map { message in
            MessageTransition(former: active[message.id]?.message ?? message, message: nil)
        }
    }

    /// The ids of a bulk delete: 2 to 100, none older than 14 days (protocol 3.5).
    private static func bulkIDs(_ body: JSON, now: Int64) throws(APIError) -> [MessageID] {
        guard let listed = body["messages"]?.arrayValue else {
            throw .form(["messages"], code: "BASE_TYPE_REQUIRED", message: "This field is required")
        }
        var ids: Set<MessageID> = []
        for (index, value) in listed.enumerated() {
            guard let id = value.snowflakeValue else {
                throw .form(
                    ["messages", String(index)], code: "NUMBER_TYPE_COERCE", message: "The value is not snowflake.")
            }
            ids.insert(id)
        }
        guard (2...100).contains(ids.count) else { throw .bulkDeleteCount }
        let oldest = Snowflake.lowest(atMilliseconds: now - 14 * 86_400_000)
        guard ids.allSatisfy({ $0 >= oldest }) else { throw .bulkDeleteTooOld }
        return ids.sorted()
    }

    /// Deletes what somebody who was banned has written from a moment up to their ban, a hundred messages at a time. What is
    /// deleted already stays so: it may be asked for again.
    distributed func purge(author: UserID, since: Timestamp, until: Timestamp) async throws {
        await settle()
        var cursor = Snowflake.lowest(atMilliseconds: since.milliseconds)
        let end = Snowflake.lowest(atMilliseconds: until.milliseconds + 1)
        while true {
            let page: [Message]
            do {
                page = try await services.messages.history(
                    .after(cursor), in: channelID, guildID: state.guildID, limit: Messages.pageLimit)
            } catch { throw APIError.notCommitted }
            guard let newest = page.first, cursor < end else { return }
            cursor = newest.id
            let deleted = page.filter { message in
                message.authorID == author && message.id < end && !(active[message.id]?.isDeleted ?? false)
            }.map(\.id)
            guard !deleted.isEmpty else { continue }
            try await record(
                .messageDeleteBulk, about: nil, by: nil,
                makeBody: { self.body.messageDeleteBulk(deleted, sequence: $0) },
                makeChange: { .deleteMessages(deleted, self.channelID, $0) },
                messages: transitions(page, deleted),
                shown: { channel in for id in deleted { channel.active[id]?.markDeleted() } })
        }
    }
}
