import Distributed
import FluxCluster
import FluxCore
import FluxStore

extension UserActor {
    /// An event of a DM. The first message of one that is not open opens it (protocol 7.9).
    func receive(_ event: DirectEvent) {
        if event.kind == .messageCreate, !openDirects.contains(event.channelID) {
            openDirects.insert(event.channelID)
            commitInBackground([.openDirectMessage(event.channelID, userID: userID)])
            emit(.channelCreate, body: event.opening)
        }
        emit(event.kind, body: event.body, intents: event.kind.directIntent ?? [])
    }

    /// The conversations that the user has open.
    func listDirectMessages() async throws -> CommandReply {
        let list: [(channel: Channel, others: [User])] = try await openConversations()
        return .ok { writer in
            writer.beginArray()
            for entry in list { entry.channel.write(to: &writer, recipients: entry.others) }
            writer.endArray()
        }
    }

    /// Opens the conversation with another user, the same one every time.
    func openDirectMessage(_ command: UserCommand) async throws -> CommandReply {
        let peerID = try Self.recipient(of: command.body)
        guard peerID != userID else { throw APIError.invalidRecipients }
        let channelID: ChannelID
        do {
            guard try await services.users.user(peerID) != nil else { throw APIError.invalidRecipients }
            channelID = try await services.directMessages.channel(
                of: userID, and: peerID, proposed: try services.identifiers.next())
        } catch is StoreError { throw APIError.notCommitted }
        services.channels.learn(channelID, ChannelLocation(guildID: nil))
        if !openDirects.contains(channelID) {
            try await commit([.openDirectMessage(channelID, userID: userID)])
        }
        let reply = try await services.channel(channelID).perform(
            ChannelCommand(caller: command.caller, operation: .get))
        if openDirects.insert(channelID).inserted { emit(.channelCreate, body: reply.body) }
        return reply
    }

    /// Takes a conversation off the user's list; the next message brings it back.
    func closeDirectMessage(_ channelID: ChannelID) async throws -> CommandReply {
        let reply = try await services.channel(channelID).perform(
            ChannelCommand(caller: Caller(userID: userID, isBot: user.isBot), operation: .get))
        if openDirects.contains(channelID) {
            try await commit([.closeDirectMessage(channelID, userID: userID)])
            openDirects.remove(channelID)
            emit(.channelDelete, body: reply.body)
        }
        return reply
    }

    /// The open conversations with the others in them, by growing id.
    func openConversations() async throws -> [(channel: Channel, others: [User])] {
        do {
            let list = try await services.directMessages.list(of: userID)
            let people = try await services.users.users(Set(list.flatMap(\.channel.recipients)))
            return list.map { direct in
                (direct.channel, direct.channel.recipients.filter { $0 != userID }.compactMap { people[$0] })
            }
        } catch { throw APIError.notCommitted }
    }

    private static func recipient(of body: JSON) throws(APIError) -> UserID {
        if let single = body["recipient_id"]?.snowflakeValue { return single }
        if let list = body["recipients"]?.arrayValue {
            guard list.count == 1, let only = list.first?.snowflakeValue else { throw .invalidRecipients }
            return only
        }
        throw .form(["recipient_id"], code: "BASE_TYPE_REQUIRED", message: "This field is required")
    }
}
