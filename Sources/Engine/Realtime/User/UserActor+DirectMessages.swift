import Distributed
import FluxCluster
import FluxCore
import FluxStore

extension UserActor {
    /// An event of a DM. The first message of one that is not open opens it (protocol 7.9).
    func receive(_ event: DirectEvent) {
        let isFollowed = loop.relays.hasSubscribers(publisher.key)
        perform(
            conversations.receive(
                event, isFollowed: isFollowed, reign: reign(over: event.channelID), at: services.clock.milliseconds))
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

    /// The most people in a group conversation, oneself among them.
    private static var groupLimit: Int { 10 }

    /// Opens the conversation with another user, the same one every time, or begins one with several.
    func openDirectMessage(_ command: UserCommand) async throws -> CommandReply {
        let recipients = try Self.recipients(of: command.body)
        guard !recipients.contains(userID), let peerID = recipients.first else { throw APIError.invalidRecipients }
        if recipients.count > 1 { return try await beginGroup(with: recipients, command) }
        let channelID: ChannelID
        do {
            guard try await services.users.user(peerID) != nil else { throw APIError.invalidRecipients }
            channelID = try await services.directMessages.channel(
                of: userID, and: peerID, proposed: try services.identifiers.next())
        } catch is StoreError { throw APIError.notCommitted }
        services.channels.learn(channelID, ChannelLocation(guildID: nil))
        if openDirects.contains(channelID) {
            try await commitNothing()
        } else {
            try await commit([.openDirectMessage(channelID, userID: userID)])
        }
        let reply = try await services.channel(channelID).perform(
            ChannelCommand(caller: command.caller, operation: .get))
        if openDirects.insert(channelID).inserted { emit(.channelCreate, body: reply.body) }
        return reply
    }

    /// Takes a conversation off the user's list; the next message brings it back.
    func closeDirectMessage(_ channelID: ChannelID, _ command: UserCommand) async throws -> CommandReply {
        guard await turns.enter() else { throw APIError.notCommitted }
        defer { turns.leave() }
        if let reply = try await replyToEarlierTry(of: command) { return reply }
        let reply = try await services.channel(channelID).perform(
            ChannelCommand(caller: command.caller, operation: .get))
        if openDirects.contains(channelID) {
            let newest = try? JSON.parse(reply.body)["last_message_id"]?.snowflakeValue
            try await commit(
                [.closeDirectMessage(channelID, userID: userID, newest: newest)],
                record(of: command, answered: reply))
            openDirects.remove(channelID)
            emit(.channelDelete, body: reply.body)
        } else {
            try await commitNothing()
        }
        return reply
    }

    /// The open conversations with the others in them, by growing id.
    func openConversations() async throws -> [(channel: Channel, others: [User])] {
        await settleOpenings()
        do {
            return try await conversations(try await services.directMessages.list(of: userID))
        } catch { throw APIError.notCommitted }
    }

    /// Conversations with their people, as far as Postgres and the actor know.
    func conversations(_ list: [DirectMessage]) async throws -> [(channel: Channel, others: [User])] {
        do {
            let people = try await services.users.users(Set(list.flatMap(\.channel.recipients)))
            return list.map { direct in
                var channel = direct.channel
                conversations.bringUp(&channel)
                return (channel, direct.channel.recipients.filter { $0 != userID }.compactMap { people[$0] })
            }
        } catch { throw APIError.notCommitted }
    }

    /// Begins a group conversation with friends. They take it into their lists by themselves (I11).
    private func beginGroup(with others: [UserID], _ command: UserCommand) async throws -> CommandReply {
        guard !user.isBot else { throw APIError.onlyPeople }
        guard await turns.enter() else { throw APIError.notCommitted }
        defer { turns.leave() }
        if let reply = try await replyToEarlierTry(of: command) { return reply }
        guard others.count < Self.groupLimit, others.allSatisfy(state.isFriend) else {
            throw APIError.invalidRecipients
        }
        let now = Timestamp.now()
        let channel = Channel(
            id: try services.identifiers.next(), kind: .groupDirectMessage,
            recipients: ([userID] + others).sorted(), ownerID: userID)
        var notices: [OutboxEntry] = []
        for id in others {
            notices.append(
                UserNotice.conversation(channel.id).entry(id: try services.identifiers.next(), to: id, at: now))
        }
        let faces: [User]
        do { faces = try await people(in: channel) } catch { throw APIError.notCommitted }
        let reply = CommandReply.ok { channel.write(to: &$0, recipients: faces) }
        try await commit(
            [.insertChannel(channel), .openDirectMessage(channel.id, userID: userID), .insertOutbox(notices)],
            record(of: command, answered: reply))
        show(channel, faces)
        let (services, targets) = (services, notices.compactMap(\.target))
        Task.detached { await services.hint(targets) }
        return reply
    }

    /// Puts a conversation on the user's list, if it is not there yet.
    func show(_ channel: Channel, _ others: [User]) {
        services.channels.learn(channel.id, ChannelLocation(guildID: nil))
        directs[channel.id] = channel
        guard openDirects.insert(channel.id).inserted else { return }
        var writer = JSONWriter()
        channel.write(to: &writer, recipients: others)
        emit(.channelCreate, body: writer.bytes)
    }

    /// The others in a conversation.
    func people(in channel: Channel) async throws(StoreError) -> [User] {
        let others = channel.recipients.filter { $0 != userID }
        let known = try await services.users.users(others)
        return others.compactMap { known[$0] }
    }

    /// Who is asked for, each once.
    private static func recipients(of body: JSON) throws(APIError) -> [UserID] {
        if let single = body["recipient_id"]?.snowflakeValue { return [single] }
        if let list = body["recipients"]?.arrayValue {
            var ids: [UserID] = []
            for element in list.prefix(groupLimit) {
                guard let id = element.snowflakeValue else { throw .invalidRecipients }
                if !ids.contains(id) { ids.append(id) }
            }
            guard !ids.isEmpty, list.count <= groupLimit else { throw .invalidRecipients }
            return ids
        }
        throw .form(["recipient_id"], code: "BASE_TYPE_REQUIRED", message: "This field is required")
    }
}
