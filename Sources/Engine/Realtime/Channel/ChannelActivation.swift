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
        return ChannelActor(
            channelID: id, slot: address.slot, conversation: conversation,
            state: try await state(from: stored, epoch: epoch, services: services), loop: loop, system: services.system)
    }

    private static func state(
        from stored: ChannelActivation, epoch: Epoch, services: EngineServices
    ) async throws -> ChannelState {
        let id = stored.channel.id
        let standing = stored.tail.filter { !$0.isDeleted }.map(\.message).sorted { $0.id < $1.id }
        let reacted: Set<MessageID>
        do {
            reacted = Set(
                try await services.reactions.counts(of: standing.map(\.id), in: id, viewer: Snowflake(0)).keys)
        } catch { throw APIError.notCommitted }
        var nonces = NonceTable()
        for record in stored.nonces.sorted(by: { $0.messageID < $1.messageID }) {
            guard case .nonce(let text) = record.key else { continue }
            nonces.record(
                NonceTable.Key(authorID: record.authorID, nonce: text),
                NonceTable.Entry(
                    messageID: record.messageID, sequence: record.seq, epoch: record.epoch,
                    createdAtMilliseconds: record.messageID.timestampMilliseconds))
        }
        return ChannelState(
            id: id, guildID: stored.channel.guildID, epoch: epoch, lastSequence: stored.head.seq,
            lastMessageID: stored.head.lastMessageID,
            tail: MessageTail(
                messages: standing, reacted: reacted, hasOlder: stored.tail.count >= Channels.tailLimit),
            nonces: nonces, lastPinAt: stored.channel.lastPinAt)
    }
}
