import Distributed
import FluxCluster
import FluxCore
import FluxStore

extension ChannelActor {
    func addReaction(_ emoji: Emoji, to id: MessageID, _ command: ChannelCommand) async throws -> CommandReply {
        let permissions = try permissions(of: command.caller)
        try requireMessages()
        guard permissions.contains(.readMessageHistory) else { throw APIError.missingPermissions }
        try conversation.checkMaySend(command.caller.userID)
        let userID = command.caller.userID
        try await withMessage(id) { channel, entry, _ in
            let reactions = try await channel.reactions(of: id, in: entry)
            // A second time is no change and no event (protocol 5.6).
            guard !reactions.has(emoji.key, by: userID) else { return try await channel.commitNothing() }
            var right = WriteRight(caller: command.caller, needed: .readMessageHistory)
            if !reactions.has(emoji.key) {
                guard permissions.contains(.addReactions) else { throw APIError.missingPermissions }
                guard !reactions.isFull else { throw APIError.tooManyReactions }
                right.needed.insert(.addReactions)
            }
            guard !entry.isDeleted else { throw APIError.unknownMessage }
            let change = ReactionChange(
                channelID: channel.channelID, messageID: id, userID: userID, emoji: emoji, isAdded: true)
            try await channel.record(
                .messageReactionAdd, about: id, by: right,
                makeBody: { channel.reactionBody(change, sequence: $0) },
                makeChange: { .reaction(change, $0) },
                reactions: { [change] },
                shown: { _ in entry.reactions?.add(emoji.key, by: userID) })
        }
        return .nothing
    }

    func removeReaction(
        _ emoji: Emoji, of userID: UserID, from id: MessageID, _ command: ChannelCommand
    ) async throws -> CommandReply {
        let permissions = try permissions(of: command.caller)
        try requireMessages()
        if userID != command.caller.userID, !permissions.contains(.manageMessages) { throw APIError.missingPermissions }
        try await withMessage(id) { channel, entry, _ in
            let reactions = try await channel.reactions(of: id, in: entry)
            guard reactions.has(emoji.key, by: userID), !entry.isDeleted else {
                return try await channel.commitNothing()
            }
            let isOwn = userID == command.caller.userID
            let change = ReactionChange(
                channelID: channel.channelID, messageID: id, userID: userID, emoji: emoji, isAdded: false)
            try await channel.record(
                .messageReactionRemove, about: id,
                by: WriteRight(caller: command.caller, needed: isOwn ? [] : .manageMessages),
                makeBody: { channel.reactionBody(change, sequence: $0) },
                makeChange: { .reaction(change, $0) },
                reactions: { [change] },
                shown: { _ in entry.reactions?.remove(emoji.key, by: userID) })
        }
        return .nothing
    }

    func clearReactions(_ emoji: Emoji?, of id: MessageID, _ command: ChannelCommand) async throws -> CommandReply {
        try require(.manageMessages, of: command.caller)
        try requireMessages()
        try await withMessage(id) { channel, entry, _ in
            let reactions = try await channel.reactions(of: id, in: entry)
            guard emoji.map({ reactions.has($0.key) }) ?? !reactions.isEmpty, !entry.isDeleted else {
                return try await channel.commitNothing()
            }
            try await channel.record(
                emoji == nil ? .messageReactionRemoveAll : .messageReactionRemoveEmoji, about: id,
                by: WriteRight(caller: command.caller, needed: .manageMessages),
                makeBody: { channel.body.reactionsCleared(emoji, on: id, sequence: $0) },
                makeChange: {
                    .clearReactions(channelID: channel.channelID, messageID: id, emoji: emoji, $0)
                },
                reactions: {
                    (entry.reactions?.given(with: emoji?.key) ?? []).compactMap { given in
                        Emoji(key: given.emoji).map {
                            ReactionChange(
                                channelID: channel.channelID, messageID: id, userID: given.userID, emoji: $0,
                                isAdded: false)
                        }
                    }
                },
                shown: { _ in entry.reactions?.clear(emoji?.key) })
        }
        return .nothing
    }

    func listReactions(
        _ emoji: Emoji, of id: MessageID, after: UserID?, limit: Int, _ command: ChannelCommand
    ) async throws -> CommandReply {
        try require(.readMessageHistory, of: command.caller)
        try requireMessages()
        await settle()
        let users: [User]
        do {
            guard try await services.messages.find(id, in: channelID, guildID: state.guildID) != nil else {
                throw APIError.unknownMessage
            }
            users = try await services.reactions.users(
                of: id, in: channelID, emoji: emoji.key, after: after ?? Snowflake(0), limit: limit)
        } catch let error as APIError { throw error } catch { throw APIError.notCommitted }
        return .ok { writer in
            writer.beginArray()
            for user in users { user.write(to: &writer) }
            writer.endArray()
        }
    }

    /// The reactions of a message that is being worked on, with what is not final yet.
    private func reactions(of id: MessageID, in entry: ActiveMessage) async throws -> ReactionTable {
        if let reactions = entry.reactions { return reactions }
        if state.tail[id] != nil, !state.tail.hasReactions(id) {
            entry.reactions = ReactionTable()
            return ReactionTable()
        }
        let loading: Task<ReactionTable, any Error>
        if let running = entry.loadingReactions {
            loading = running
        } else {
            let (services, channelID) = (services, channelID)
            loading = Task {
                ReactionTable(try await services.reactions.all(of: id, in: channelID))
            }
            entry.loadingReactions = loading
        }
        let loaded: ReactionTable
        do { loaded = try await loading.value } catch { throw APIError.notCommitted }
        if entry.reactions == nil { entry.reactions = loaded }
        return entry.reactions ?? loaded
    }
}
