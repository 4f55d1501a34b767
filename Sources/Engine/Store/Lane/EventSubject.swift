import FluxCore

/// What an event of a channel tells anew. Where the event does not come to be, the void entry in its place keeps this: whoever was
/// shown the event has to be told how it stands, and a later owner sees whether that has been done (I5).
public enum EventSubject: Sendable, Hashable {
    /// What these messages are, or that they are gone. Reactions are no part of it.
    case messages([MessageID])
    /// Whether somebody's reaction is there; and whether the picture of its emoji moves.
    case reaction(ReactionFold.Key, animated: Bool)
    /// That a message has no reactions, or none with one emoji.
    case clear(ReactionFold.Clear)

    /// A change of one reaction.
    public init(_ change: ReactionChange) {
        self = .reaction(ReactionFold.Key(change), animated: change.emoji.animated)
    }
}

extension EventSubject {
    /// The subject of an event as it is in the log; nil if it tells of neither messages nor reactions.
    package init?(of kind: EventKind, in channelID: ChannelID, messageID: MessageID?, payload: [UInt8]) {
        switch kind {
        case .messageUpdate, .messageDelete:
            guard let messageID else { return nil }
            self = .messages([messageID])
        case .messageDeleteBulk:
            let ids = (try? JSON.parse(payload))?["ids"]?.arrayValue ?? []
            self = .messages(ids.compactMap { $0.snowflakeValue })
        case .messageReactionAdd, .messageReactionRemove:
            guard let messageID, let body = try? JSON.parse(payload), let userID = body["user_id"]?.snowflakeValue,
                let emoji = body["emoji"].flatMap(Emoji.init(told:))
            else { return nil }
            self.init(
                ReactionChange(
                    channelID: channelID, messageID: messageID, userID: userID, emoji: emoji,
                    isAdded: kind == .messageReactionAdd))
        case .messageReactionRemoveAll, .messageReactionRemoveEmoji:
            guard let messageID, let body = try? JSON.parse(payload) else { return nil }
            let emoji = body["emoji"].flatMap(Emoji.init(told:))
            self = .clear(
                ReactionFold.Clear(channelID: channelID, messageID: messageID, emoji: emoji?.key))
        default: return nil
        }
    }

    /// Memory that it holds; an estimate.
    var byteCount: Int {
        switch self {
        case .messages(let ids): 8 * ids.count
        case .reaction(let key, _): 48 + key.emoji.utf8.count
        case .clear(let clear): 32 + (clear.emoji?.utf8.count ?? 0)
        }
    }

    // MARK: In a void entry

    /// The columns of the void entry that keeps this: one message by its id, anything else as JSON, which is a list of messages, or an
    /// object of a reaction.
    package var columns: (messageID: MessageID?, payload: [UInt8]) {
        var writer = JSONWriter()
        switch self {
        case .messages(let ids):
            if ids.count < 2 { return (ids.first, []) }
            writer.beginArray()
            for id in ids { writer.snowflake(id) }
            writer.endArray()
        case .reaction(let key, let animated):
            writer.beginObject()
            writer.field("message_id", key.messageID)
            writer.field("user_id", key.userID)
            writer.field("emoji", key.emoji)
            if animated { writer.field("animated", true) }
            writer.endObject()
        case .clear(let clear):
            writer.beginObject()
            writer.field("message_id", clear.messageID)
            if let emoji = clear.emoji { writer.field("emoji", emoji) }
            writer.endObject()
        }
        return (nil, writer.bytes)
    }

    /// What a void entry of a channel keeps; nil if that is nothing, or nothing of which this version knows.
    package init?(voidIn channelID: ChannelID, messageID: MessageID?, payload: [UInt8]) {
        if let messageID {
            self = .messages([messageID])
            return
        }
        guard !payload.isEmpty, let kept = try? JSON.parse(payload) else { return nil }
        if let listed = kept.arrayValue {
            self = .messages(listed.compactMap { $0.snowflakeValue })
            return
        }
        guard let messageID = kept["message_id"]?.snowflakeValue else { return nil }
        let emoji = kept["emoji"]?.stringValue
        guard let user = kept["user_id"] else {
            self = .clear(ReactionFold.Clear(channelID: channelID, messageID: messageID, emoji: emoji))
            return
        }
        guard let userID = user.snowflakeValue, let emoji else { return nil }
        self = .reaction(
            ReactionFold.Key(channelID: channelID, messageID: messageID, userID: userID, emoji: emoji),
            animated: kept["animated"]?.boolValue ?? false)
    }
}

extension Change {
    /// What the change's event tells anew; nil if it has none.
    package var subject: EventSubject? {
        switch self {
        case .createMessage(let row): .messages([row.message.id])
        case .updateMessage(let row, _): .messages([row.message.id])
        case .deleteMessages(let ids, _, _): .messages(ids)
        case .reaction(let change, _): EventSubject(change)
        case .clearReactions(let channelID, let messageID, let emoji, _):
            .clear(ReactionFold.Clear(channelID: channelID, messageID: messageID, emoji: emoji?.key))
        case .logOnly(_, let subject): subject
        case .void(_, _, _, let subject): subject
        case .statements, .counter: nil
        }
    }
}

extension Emoji {
    /// The emoji object of an event, as `write(to:)` makes it.
    fileprivate init?(told json: JSON) {
        guard let name = json["name"]?.stringValue else { return nil }
        self.init(id: json["id"]?.snowflakeValue, name: name, animated: json["animated"]?.boolValue ?? false)
    }
}
