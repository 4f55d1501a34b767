import Distributed
import FluxCluster
import FluxCore
import FluxStore

extension ChannelActor {
    func get(_ command: ChannelCommand) throws -> CommandReply {
        _ = try permissions(of: command.caller)
        guard var channel = conversation.channel(channelID) else { throw APIError.unknownChannel }
        channel.lastMessageID = state.lastMessageID
        channel.lastSeq = state.lastSequence
        channel.epoch = state.epoch
        channel.lastPinAt = state.lastPinAt
        let others = channel.recipients.filter { $0 != command.caller.userID }
            .compactMap { conversation.participant($0)?.user }
        return .ok { writer in channel.write(to: &writer, recipients: others) }
    }

    func typing(_ command: ChannelCommand) throws -> CommandReply {
        try require(.sendMessages, of: command.caller)
        try requireMessages()
        let payload = body.typing(
            command.caller.userID, atSeconds: Timestamp.now().seconds,
            member: conversation.participant(command.caller.userID)?.memberWithUser)
        conversation.publish(.typingStart, body: payload, in: channelID, nil)
        return .nothing
    }

    func history(
        _ page: ChannelOperation.Page, limit: Int, _ command: ChannelCommand
    ) async throws -> CommandReply {
        try requireHistory(of: command.caller)
        await settle()
        let messages: [Message]
        if case .newest = page, let newest = state.tail.newest(limit) {
            messages = newest
        } else {
            do {
                messages = try await services.messages.history(
                    Messages.Page(page), in: channelID, guildID: state.guildID, limit: limit)
            } catch { throw APIError.notCommitted }
        }
        try checkMayStillRead(command.caller, storedUpTo: messages.lazy.map(\.epoch).max() ?? 0)
        let plain = Set(messages.map(\.id).filter { state.tail[$0] != nil && !state.tail.hasReactions($0) })
        let bodies = try await services.renderer.render(messages, for: command.caller.userID, withoutReactions: plain)
        return .ok { writer in
            writer.beginArray()
            for body in bodies { writer.raw(body) }
            writer.endArray()
        }
    }

    func message(_ id: MessageID, _ command: ChannelCommand) async throws -> CommandReply {
        try requireHistory(of: command.caller)
        await settle()
        let found: Message?
        if let message = state.tail[id] {
            found = message
        } else {
            do { found = try await services.messages.find(id, in: channelID, guildID: state.guildID) } catch {
                throw APIError.notCommitted
            }
        }
        guard let found else { throw APIError.unknownMessage }
        try checkMayStillRead(command.caller, storedUpTo: found.epoch)
        return CommandReply(status: 200, body: try await render(found, for: command.caller.userID))
    }

    /// What happened after a seq (protocol 10.5).
    func events(
        after: SequenceNumber, limit: Int, epoch: Epoch?, _ command: ChannelCommand
    ) async throws -> CommandReply {
        try requireHistory(of: command.caller)
        await settle()
        let page = try await page(after: after, epoch: epoch, limit: limit)
        var bodies = try await services.renderer.render(page, guildID: state.guildID)
        var last = page.events.last
        // A client goes on from the last event that it was given, so a page of nothing but voids would hold it for ever.
        while bodies.isEmpty, let void = last {
            let next = try await self.page(after: void.seq, epoch: nil, limit: limit)
            bodies = try await services.renderer.render(next, guildID: state.guildID)
            last = next.events.last
        }
        try checkMayStillRead(command.caller, storedUpTo: page.head.epoch)
        let (lastSequence, currentEpoch) = (state.lastSequence, state.epoch)
        return .ok { writer in
            writer.beginObject()
            writer.key("events")
            writer.beginArray()
            for event in bodies {
                writer.beginObject()
                writer.field("t", event.kind.name)
                writer.field("d", raw: event.body)
                writer.endObject()
            }
            writer.endArray()
            writer.field("last_seq", lastSequence)
            writer.field("epoch", currentEpoch)
            writer.field("truncated", page.isTruncated)
            if let point = page.rolledBackTo { writer.field("rolled_back_to", point) }
            writer.endObject()
        }
    }

    func page(
        after: SequenceNumber, epoch: Epoch?, limit: Int
    ) async throws(APIError) -> ChannelEventPage {
        do {
            return try await services.channelEvents.after(
                after, epoch: epoch, in: channelID, guildID: state.guildID, limit: limit)
        } catch { throw APIError.notCommitted }
    }

    func render(_ message: Message, for viewer: UserID) async throws -> [UInt8] {
        let plain: Set<MessageID> =
            state.tail[message.id] != nil && !state.tail.hasReactions(message.id) ? [message.id] : []
        guard let body = try await services.renderer.render([message], for: viewer, withoutReactions: plain).first
        else {
            throw APIError.notCommitted
        }
        return body
    }

    /// A read has waited for what it answers. The reader may have lost the channel meanwhile; and an owner that has lost the slot,
    /// as something shows that was stored since, cannot know of it (I7).
    private func checkMayStillRead(_ caller: Caller, storedUpTo epoch: Epoch) throws {
        guard !isOver, epoch <= state.epoch else { throw SlotLoss.notBegun }
        try requireHistory(of: caller)
    }

    func requireHistory(of caller: Caller) throws(APIError) {
        try require(.readMessageHistory, of: caller)
        try requireMessages()
    }
}

extension Messages.Page {
    init(_ page: ChannelOperation.Page) {
        switch page {
        case .newest: self = .newest
        case .before(let cursor): self = .before(cursor)
        case .after(let cursor): self = .after(cursor)
        case .around(let cursor): self = .around(cursor)
        }
    }
}
