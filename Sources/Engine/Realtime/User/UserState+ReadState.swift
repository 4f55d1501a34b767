import FluxCore
import FluxStore

/// How far the user has read (protocol 9.2), and letting others know (10.3).
extension UserState {
    /// The most channels of one bulk ack.
    static let bulkLimit = 100

    /// Body: `mention_count`, `manual`. Only forward, unless by hand.
    func acknowledge(
        _ messageID: MessageID, in channelID: ChannelID, _ body: JSON, _ planning: UserPlanning
    ) throws(APIError) -> UserPlan {
        var reader = BodyReader(body == .null ? .object(JSONObject()) : body)
        let isManual = reader.bool("manual").value ?? false
        let count = reader.integer("mention_count", in: 0...1_000_000).value ?? 0
        try reader.finish()
        let changes = changes(
            reading: messageID, in: channelID, markedCount: isManual ? count : 0, isManual: isManual, planning)
        return UserPlan(
            changes: changes,
            reply: .ok { writer in
                writer.beginObject()
                writer.nullField("token")
                writer.endObject()
            })
    }

    /// Body: `read_states`, 1 to 100 of `channel_id`, `message_id`. Of several of one channel the furthest counts; channels
    /// that the user is not in (any more) are passed over.
    func acknowledgeMany(_ body: JSON, _ planning: UserPlanning) throws(APIError) -> UserPlan {
        var reader = BodyReader(body)
        let list = reader.require("read_states", reader.list("read_states", count: 1...Self.bulkLimit)) ?? []
        for (index, element) in list.enumerated() {
            var inner = BodyReader(element, path: ["read_states", String(index)])
            _ = inner.require("channel_id", inner.snowflake("channel_id"))
            _ = inner.require("message_id", inner.snowflake("message_id"))
            reader.merge(inner)
        }
        try reader.finish()
        var furthest: [ChannelID: MessageID] = [:]
        for (channelID, messageID) in Self.acknowledgements(in: body) where !planning.unreachable.contains(channelID) {
            furthest[channelID] = max(messageID, furthest[channelID] ?? messageID)
        }
        return UserPlan(
            changes: furthest.sorted { $0.key < $1.key }.flatMap { channelID, messageID in
                changes(reading: messageID, in: channelID, markedCount: 0, isManual: false, planning)
            })
    }

    /// The user sent a message: everything up to it counts as read, and nobody is told.
    func plan(sent messageID: MessageID, in channelID: ChannelID) -> UserPlan {
        guard !isBot, let mark = mark(messageID, in: channelID, markedCount: 0, isManual: false, isSilent: true) else {
            return UserPlan()
        }
        return UserPlan(changes: [.read(mark)])
    }

    /// How far the others of a DM have read, without those who are not to be seen.
    func listReceipts(_ planning: UserPlanning) -> UserPlan {
        let visible =
            settings.readReceipts
            ? planning.receipts.filter { $0.userID != userID && !isBlocked(with: $0.userID) } : []
        return UserPlan(
            reply: .ok { writer in
                writer.beginArray()
                for receipt in visible {
                    writer.beginObject()
                    receipt.writeFields(to: &writer)
                    writer.endObject()
                }
                writer.endArray()
            })
    }

    /// The channels and messages of a bulk ack, those that can be read.
    static func acknowledgements(in body: JSON) -> [(channelID: ChannelID, messageID: MessageID)] {
        (body["read_states"]?.arrayValue ?? []).prefix(bulkLimit).compactMap { element in
            guard let channelID = element["channel_id"]?.snowflakeValue,
                let messageID = element["message_id"]?.snowflakeValue
            else { return nil }
            return (channelID, messageID)
        }
    }

    private func changes(
        reading messageID: MessageID, in channelID: ChannelID, markedCount: Int, isManual: Bool,
        _ planning: UserPlanning
    ) -> [UserChange] {
        guard
            let mark = mark(
                messageID, in: channelID, markedCount: markedCount, isManual: isManual, isSilent: false)
        else { return [] }
        return [.read(mark)] + [receipt(for: mark, planning)].compactMap(\.self)
    }

    /// The new mark; nil where it would not change anything.
    private func mark(
        _ messageID: MessageID, in channelID: ChannelID, markedCount: Int, isManual: Bool, isSilent: Bool
    ) -> ReadMark? {
        let former = readMarks[channelID]
        let isForward = messageID > former?.lastMessageID ?? Snowflake(0)
        let clears = messageID == former?.lastMessageID && (former?.markedCount ?? 0) > 0
        guard isManual || isForward || clears else { return nil }
        return ReadMark(
            channelID: channelID, lastMessageID: messageID, markedCount: markedCount,
            version: (former?.version ?? 0) + 1, isSilent: isSilent, isManual: isManual)
    }

    /// What the others of a DM are let know, if there are any who may know.
    private func receipt(for mark: ReadMark, _ planning: UserPlanning) -> UserChange? {
        guard settings.readReceipts, !mark.isManual,
            let channel = planning.directChannels[mark.channelID], !channel.kind.isOfGuild,
            channel.recipients.contains(userID), let seq = planning.sequences[mark.lastMessageID]
        else { return nil }
        let recipients = channel.recipients.filter { $0 != userID && !isBlocked(with: $0) }
        guard !recipients.isEmpty else { return nil }
        return .receipt(
            Receipt(
                channelID: mark.channelID, userID: userID, messageID: mark.lastMessageID, seq: seq,
                readAt: planning.now),
            to: recipients)
    }
}
