import FluxCluster
import FluxCore
import FluxStore

import struct NIOCore.TimeAmount

/// The conversation of a DM or a group: its recipients, whether they let one another through, and the way of events through
/// their User actors (design 4). Confined to the loop of its channel.
final class DirectConversation: Conversation {
    private var value: Channel
    private let people: [UserID: User]
    private unowned let loop: EngineLoop
    /// Whether one of two recipients has blocked the other.
    private(set) var isBlocked: Bool
    /// CHANNEL_CREATE as each person of the conversation sees it.
    private var announcements: [UserID: [UInt8]] = [:]
    /// Who may have missed an event and is about to be told where the log stands.
    private var behind: Set<UserID> = []
    /// How long somebody whose actor could not be reached is left alone.
    private static let patience: TimeAmount = .seconds(1)
    /// When the last entry of the log was told, in milliseconds of the engine's clock.
    private var toldAt: UInt64?

    /// - Parameter people: the recipients that exist, by id.
    init(channel: Channel, people: [UserID: User], isBlocked: Bool, loop: EngineLoop) {
        value = channel
        self.people = people
        self.isBlocked = isBlocked
        self.loop = loop
    }

    /// Reads what a conversation needs.
    static func load(_ channel: Channel, loop: EngineLoop, services: EngineServices) async throws -> DirectConversation
    {
        let people = try await services.users.users(channel.recipients)
        let isBlocked = try await isBlocked(channel, services)
        return DirectConversation(channel: channel, people: people, isBlocked: isBlocked, loop: loop)
    }

    /// Reads anew whether the recipients let one another through.
    static func isBlocked(_ channel: Channel, _ services: EngineServices) async throws -> Bool {
        guard channel.kind == .directMessage, channel.recipients.count == 2 else { return false }
        let (one, other) = (channel.recipients[0], channel.recipients[1])
        for (own, peer) in [(one, other), (other, one)] {
            if try await services.relationships.find(of: own, with: peer)?.kind == .blocked { return true }
        }
        return false
    }

    func setBlocked(_ blocked: Bool) { isBlocked = blocked }

    func permissions(of userID: UserID, in channelID: ChannelID) throws(APIError) -> Permissions {
        guard value.recipients.contains(userID) else { throw .missingAccess }
        return .directMessage
    }

    func channel(_ id: ChannelID) -> Channel? { value }

    func participant(_ id: UserID) -> Participant? {
        guard value.recipients.contains(id), let user = loop.services.users.cached(id) ?? people[id] else { return nil }
        return Participant(user: user, member: nil, memberWithUser: nil)
    }

    func isMentionable(_ role: RoleID) -> Bool? { nil }

    func checkMaySend(_ userID: UserID) throws(APIError) {
        if isBlocked { throw .cannotMessageUser }
    }

    func publish(_ kind: EventKind, body: [UInt8], in channelID: ChannelID, _ entry: LogMark?) {
        let head = DirectHead(lastMessageID: value.lastMessageID, lastSequence: value.lastSeq, epoch: value.epoch)
        if entry != nil { toldAt = loop.services.clock.milliseconds }
        for recipient in value.recipients {
            // A blocked conversation shows no typing (protocol 9.1).
            if kind == .typingStart, isBlocked { continue }
            let opening = kind == .messageCreate ? announcement(for: recipient) : []
            let event = DirectEvent(
                channelID: channelID, kind: kind, body: body, opening: opening, head: head, isLogged: entry != nil,
                messageID: entry?.messageID)
            let isLogged = entry != nil
            call(UserCalls.directEvent, event, of: recipient) { conversation, isDone in
                if !isDone, isLogged { conversation.remind(recipient) }
            }
        }
    }

    /// These slots have other owners. A recipient's new owner knows what is stored, and what was told to the former one may not be
    /// committed yet: as long as it can wait for that, the new one is told where the log stands.
    func slotsMoved(_ slots: Set<Slot>) {
        guard let toldAt, loop.services.clock.milliseconds < toldAt + ConversationLogs.keepMilliseconds else { return }
        for recipient in value.recipients where slots.contains(Slot(of: recipient)) { remind(recipient) }
    }

    /// Tells a recipient's actor where the log stands, until it has heard: it asks for what it has missed.
    private func remind(_ recipient: UserID) {
        guard behind.insert(recipient).inserted else { return }
        let confined = LoopConfined<() -> Void> { [weak self] in
            guard let self else { return }
            behind.remove(recipient)
            let head = ChannelHead(channelID: value.id, sequence: value.lastSeq, epoch: value.epoch)
            call(UserCalls.directHead, head, of: recipient) { conversation, isDone in
                if !isDone { conversation.remind(recipient) }
            }
        }
        loop.executor.eventLoop.scheduleTask(in: Self.patience) { confined.value() }
    }

    private func call<Arguments: WireCodable & Sendable>(
        _ call: Call<UserActor, Arguments, Nothing>, _ arguments: Arguments, of recipient: UserID,
        _ completion: @escaping (DirectConversation, _ isDone: Bool) -> Void
    ) {
        let confined = LoopConfined<(Bool) -> Void> { [weak self] isDone in
            if let self { completion(self, isDone) }
        }
        loop.services.system.invoke(call, on: .user(recipient), arguments, replyOn: loop.index) { result in
            switch result {
            case .success: confined.value(true)
            // There is nobody (any more) to be told.
            case .failure(.refused(let failure as APIError)) where failure.status == 404: confined.value(true)
            case .failure: confined.value(false)
            }
        }
    }

    func advanced(_ channelID: ChannelID, lastMessageID: MessageID?, lastSequence: SequenceNumber, epoch: Epoch) {
        value.lastMessageID = lastMessageID
        value.lastSeq = lastSequence
        value.epoch = epoch
    }

    func pinned(_ channelID: ChannelID, at moment: Timestamp?) { value.lastPinAt = moment }

    /// The channel as one of its recipients sees it. Encoded once: what changes in it afterwards, the newest message, comes
    /// with the event itself.
    func announcement(for recipient: UserID) -> [UInt8] {
        if let known = announcements[recipient] { return known }
        var writer = JSONWriter()
        value.write(to: &writer, recipients: value.recipients.filter { $0 != recipient }.compactMap { people[$0] })
        announcements[recipient] = writer.bytes
        return writer.bytes
    }
}
