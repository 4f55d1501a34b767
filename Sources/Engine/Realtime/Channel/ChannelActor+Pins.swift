import Distributed
import FluxCluster
import FluxCore
import FluxStore

/// Pinning messages, and listing what is pinned (protocol 5.6).
extension ChannelActor {
    static var maximumPins: Int { 50 }

    func pins(before: Timestamp?, limit: Int, legacy: Bool, _ command: ChannelCommand) async throws -> CommandReply {
        try require(.readMessageHistory, of: command.caller)
        try requireMessages()
        await settle()
        let listed: [Pins.Pin]
        do {
            listed = try await services.pins.list(
                in: channelID, guildID: state.guildID, before: before, limit: legacy ? Self.maximumPins : limit + 1)
        } catch { throw APIError.notCommitted }
        let shown = legacy ? listed[...] : listed.prefix(limit)
        let bodies = try await services.renderer.render(shown.map(\.message), for: command.caller.userID)
        return .ok { writer in
            if !legacy {
                writer.beginObject()
                writer.key("items")
            }
            writer.beginArray()
            for (entry, body) in zip(shown, bodies) {
                if legacy {
                    writer.raw(body)
                } else {
                    writer.beginObject()
                    writer.field("pinned_at", entry.pinnedAt)
                    writer.field("message", raw: body)
                    writer.endObject()
                }
            }
            writer.endArray()
            if !legacy {
                writer.field("has_more", listed.count > limit)
                writer.endObject()
            }
        }
    }

    func setPinned(_ pinned: Bool, _ id: MessageID, _ command: ChannelCommand) async throws -> CommandReply {
        let permissions = try permissions(of: command.caller)
        try requireMessages()
        guard isDirect || !permissions.isDisjoint(with: [.pinMessages, .manageMessages]) else {
            throw APIError.missingPermissions
        }
        let right = WriteRight(caller: command.caller, oneOf: isDirect ? [] : [.pinMessages, .manageMessages])
        try await withMessage(id) { channel, entry, _ in
            guard await channel.pinTurns.enter() else { throw APIError.notCommitted }
            defer { channel.pinTurns.leave() }
            // It may have waited.
            guard let message = entry.message, !entry.isDeleted else { throw APIError.unknownMessage }
            guard message.pinned != pinned else {
                try await channel.commitNothing()
                // Made again, because its owner died: that may have been behind the commit, before anybody was told.
                if pinned, channel.hasAnnouncedPin(command) { channel.tellPins() }
                return
            }
            if pinned {
                let count: Int
                do { count = try await channel.services.pins.count(in: channel.channelID) } catch {
                    throw APIError.notCommitted
                }
                guard count < Self.maximumPins else { throw APIError.tooManyPins }
            }
            var changed = message
            changed.pinned = pinned
            try await channel.store(changed, in: entry, by: right)
            do {
                try await channel.commitPin(pinned, of: id, command)
            } catch let error as APIError {
                // It was shown, and is not so.
                try? await channel.store(message, in: entry, by: nil)
                throw error
            }
        }
        return .nothing
    }

    /// Makes durable what was shown of a pin. The message that tells of it goes first, through the same lane: where the pin is stored,
    /// that is stored, too. So a command that comes again, because its owner died on the way, finds nothing left to do or does all of
    /// it, and the message is known by the command's key (I4).
    private func commitPin(_ pinned: Bool, of id: MessageID, _ command: ChannelCommand) async throws {
        if pinned { try await announcePin(of: id, command) }
        let now = Timestamp.now()
        let last = pinned ? now : state.lastPinAt
        var statements: [Statement] = [
            pinned ? .pin(id, channelID: channelID, at: now) : .unpin(id, channelID: channelID)
        ]
        if pinned { statements.append(.setLastPin(now, channelID: channelID)) }
        try await loop.commit(.statements(statements), slot: slot, epoch: state.epoch).get()
        state.lastPinAt = last
        conversation.pinned(channelID, at: last)
        tellPins()
    }

    private func tellPins() {
        conversation.publish(.channelPinsUpdate, body: body.pinsUpdate(state.lastPinAt), in: channelID, nil)
    }

    /// The key by which the message is known that tells of the command's pin.
    private func key(of command: ChannelCommand) -> NonceTable.Key? {
        command.idempotencyKey == 0
            ? nil : NonceTable.Key(authorID: command.caller.userID, idempotencyKey: command.idempotencyKey)
    }

    private func hasAnnouncedPin(_ command: ChannelCommand) -> Bool {
        key(of: command).map { state.nonces.message(of: $0, at: services.clock.wallMilliseconds) != nil } ?? false
    }

    /// The message of type 6 that tells of a pin, once for each command.
    private func announcePin(of id: MessageID, _ command: ChannelCommand) async throws {
        while loop.isLaneFull(of: slot) {
            guard await loop.roomForCommit(slot) else { throw APIError.notCommitted }
        }
        guard !isOver else { throw SlotLoss.underWay }
        let author = command.caller.userID
        let now = services.clock.wallMilliseconds
        let key = key(of: command)
        if hasAnnouncedPin(command) { return }
        // Who has left meanwhile tells of nothing any more; nor does anybody where no further key could be kept.
        guard let participant = conversation.participant(author),
            key == nil || state.timeUntilRoomForNonce(at: now) == nil
        else { return }
        let message = Message(
            id: try services.identifiers.next(above: state.lastMessageID), channelID: channelID,
            guildID: state.guildID, authorID: author, kind: .pinned,
            reference: MessageReference(channelID: channelID, messageID: id, guildID: state.guildID), seq: 0,
            epoch: state.epoch)
        do throws(CommitRefusal) {
            try show(
                message, by: participant, mentions: [], referenced: .absent, nonce: nil, key: key, answers: [])
        } catch {
            throw APIError.notCommitted
        }
    }
}
