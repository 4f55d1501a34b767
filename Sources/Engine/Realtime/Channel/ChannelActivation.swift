import FluxCluster
import FluxCore
import FluxStore

extension ChannelActor {
    /// Makes the actor of a channel from what is stored. The lease's acquisition has committed before, so nothing that an earlier
    /// owner decided can still arrive (I1).
    static func activate(
        _ address: ActorAddress, epoch: Epoch, executor: LoopExecutor, services: EngineServices
    ) async throws -> ChannelActor {
        let id = ChannelID(address.key)
        let now = services.clock.wallMilliseconds
        let oldestNonce = Snowflake.lowest(atMilliseconds: now - NonceTable.lifetimeMilliseconds)
        let stored: ChannelActivation?
        do { stored = try await services.channelReads.activation(of: id, noncesSince: oldestNonce) } catch {
            throw APIError.notCommitted
        }
        guard let stored else { throw APIError.unknownChannel }
        // A later owner has written already: the slot is lost, and its guild, read before, knows nothing of that. What came next from
        // here would be a gap for whoever listens (I6).
        guard stored.head.epoch <= epoch else { throw SlotLoss.notBegun }
        try await services.reserveIdentifiers(above: stored.head.lastMessageID)
        let loop = try EngineLoop.requireCurrent()
        let conversation: any Conversation
        if let guildID = stored.channel.guildID {
            conversation = try await GuildHome.active(guildID, on: loop)
        } else {
            do {
                conversation = try await DirectConversation.load(stored.channel, loop: loop, services: services)
            } catch let error as StoreError {
                services.logger.warning("a conversation could not be read: \(error)")
                throw APIError.notCommitted
            }
        }
        var state = try await state(from: stored, noncesSince: oldestNonce, epoch: epoch, services: services)
        state.oweInherited(try await inheritedCorrections(of: stored.channel, services))
        let channel = ChannelActor(
            channelID: id, slot: address.slot, conversation: conversation, state: state, loop: loop,
            system: services.system)
        if !state.owedCorrections.isEmpty {
            Task { await channel.whenLocal { (channel: isolated ChannelActor) in channel.payCorrections() } }
        }
        return channel
    }

    /// What an earlier owner has shown in vain and could not take back any more: its void entries have no answer in the log.
    private static func inheritedCorrections(
        of channel: Channel, _ services: EngineServices
    ) async throws(APIError) -> [PendingChanges.Correction] {
        do {
            let voids = try await services.channelReads.unansweredVoids(of: channel.id)
            guard !voids.isEmpty else { return [] }
            let ids = Array(voids.messages.union(voids.reactedMessages))
            var standing: [MessageID: Message] = [:]
            for page in stride(from: 0, to: ids.count, by: Messages.pageLimit) {
                let messages = try await services.messages.batch(
                    Array(ids[page..<min(page + Messages.pageLimit, ids.count)]), in: channel.id,
                    guildID: channel.guildID)
                for message in messages { standing[message.id] = message }
            }
            let given = try await services.reactions.standing(of: Array(voids.reactions.keys), in: channel.id)
            var cleared: [MessageID: [ReactionSet]] = [:]
            for clear in voids.clears.keys where standing[clear.messageID] != nil {
                cleared[clear.messageID] = try await services.reactions.all(of: clear.messageID, in: channel.id)
            }
            return PendingChanges.Correction.inherited(
                voids, messages: standing, standing: given, cleared: cleared)
        } catch { throw .notCommitted }
    }

    private static func state(
        from stored: ChannelActivation, noncesSince: MessageID, epoch: Epoch, services: EngineServices
    ) async throws -> ChannelState {
        let id = stored.channel.id
        let standing = stored.tail.filter { !$0.isDeleted }.map(\.message).sorted { $0.id < $1.id }
        let reacted: Set<MessageID>
        var nonces = NonceTable()
        do {
            reacted = Set(
                try await services.reactions.counts(of: standing.map(\.id), in: id, viewer: Snowflake(0)).keys)
            // However many there are: what the owner before this one promised is kept (I4).
            var page = stored.nonces
            nonces.record(page.records)
            while let next = page.next {
                page = try await services.channelReads.nonces(of: id, from: next)
                nonces.record(page.records)
            }
        } catch { throw APIError.notCommitted }
        return ChannelState(
            id: id, guildID: stored.channel.guildID, epoch: epoch, lastSequence: stored.head.seq,
            lastMessageID: stored.head.lastMessageID,
            tail: MessageTail(
                messages: standing, reacted: reacted, hasOlder: stored.tail.count >= Channels.tailLimit),
            nonces: nonces, lastPinAt: stored.channel.lastPinAt)
    }
}

extension NonceTable {
    /// Takes in what an earlier owner has recorded.
    fileprivate mutating func record(_ records: [NonceRecord]) {
        for record in records {
            let key =
                switch record.key {
                case .nonce(let text): Key(authorID: record.authorID, nonce: text)
                case .idempotency(let key): Key(authorID: record.authorID, idempotencyKey: key)
                }
            self.record(key, messageID: record.messageID)
        }
    }
}
