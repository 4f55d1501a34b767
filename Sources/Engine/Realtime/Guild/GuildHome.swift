import FluxCluster
import FluxCore
import FluxStore

/// A guild in memory, as its actor and those of its channels share it. All of them run on the loop of its slot, so that a
/// permission change and a send meet here (design 4).
///
/// `@unchecked Sendable` is sound because only that loop touches it: it is handed to actors of the same slot alone.
final class GuildHome: Conversation, @unchecked Sendable {
    let guildID: GuildID
    unowned let loop: EngineLoop
    let epoch: Epoch
    /// Nil while there is no such guild (yet).
    var state: GuildState?
    private(set) var publisher: StreamPublisher
    /// Where this owner's part of the stream begins, and what was committed by then.
    let succession: StreamSuccession
    /// Counts the changes of the guild that were committed; stored with them.
    private(set) var version: UInt64
    private(set) var watchers: GuildWatchers

    init(guildID: GuildID, epoch: Epoch, state: GuildState?, version: UInt64, loop: EngineLoop) {
        self.guildID = guildID
        self.version = version
        watchers = GuildWatchers()
        self.epoch = epoch
        self.state = state
        self.loop = loop
        publisher = loop.beginStream(.guild(guildID), epoch: epoch)
        succession = StreamSuccession(
            epoch: epoch, start: publisher.position,
            inherited: RelayView(heads: state?.heads ?? [], version: version))
    }

    /// The guild of a channel that is being activated; its own actor is activated first where it is not here.
    static func active(_ id: GuildID, on loop: EngineLoop) async throws -> GuildHome {
        if let home = loop.guilds[id] { return home }
        try await loop.services.guild(id).wake()
        guard let home = loop.guilds[id] else { throw APIError.unknownChannel }
        return home
    }

    /// A session of a member on a node listens.
    func watch(_ userID: UserID, on node: NodeID) {
        watchers.begin(userID, on: node, at: publisher.position)
    }

    func unwatch(_ userID: UserID, on node: NodeID) { watchers.end(userID, on: node) }

    /// All who listen on a node, each session once.
    func setWatchers(_ users: [UserID], on node: NodeID) {
        watchers.replace(users, on: node, at: publisher.position)
    }

    /// What listeners of the stream have been shown by now.
    var view: RelayView { RelayView(heads: state?.heads ?? [], version: version) }

    // MARK: Changes

    /// What is stored for a plan; of a founding, too, which has no guild yet.
    func statements(for plan: GuildPlan) -> [Statement] {
        let advance = Statement.setGuildVersion(version + 1, of: guildID)
        if let state { return state.statements(for: plan.changes) + [advance] }
        guard case .guildCreated(let founding)? = plan.changes.first else { return [] }
        return GuildState(founding).statements(for: plan.changes) + [advance]
    }

    /// A plan is durable: changes the guild and tells everyone who listens.
    func apply(_ plan: GuildPlan) {
        if state == nil, case .guildCreated(let founding)? = plan.changes.first { state = GuildState(founding) }
        version += 1
        let events = state?.apply(plan.changes, at: .now()) ?? []
        for event in events { publish(event, .version(version)) }
        for change in plan.changes {
            if case .memberRemoved(let userID) = change { watchers.forget(userID) }
        }
    }

    func publish(_ event: GuildEvent, _ mark: StreamMark? = nil) {
        let next = publisher.next(
            event.kind, body: event.body, audience: event.audience, intents: event.kind.guildIntent ?? [],
            subject: event.subject, control: event.control.map(forWatchers), mark: mark)
        loop.publish(next, of: publisher.key)
    }

    /// Changes of access matter only to members who listen.
    private func forWatchers(_ control: StreamControl) -> StreamControl {
        guard case .access(let changes) = control else { return control }
        return .access(changes.filter { watchers.contains($0.userID) })
    }

    // MARK: Conversation

    func permissions(of userID: UserID, in channelID: ChannelID) throws(APIError) -> Permissions {
        guard state != nil, state?.isDeleted == false else { throw .unknownChannel }
        return try state?.checkedPermissions(of: userID, in: channelID, at: .now()) ?? []
    }

    func channel(_ id: ChannelID) -> Channel? { state?.channels[id] }

    func participant(_ id: UserID) -> Participant? {
        guard let user = state?.members[id]?.user else { return nil }
        return Participant(user: user, member: state?.plainBody(of: id), memberWithUser: state?.fullBody(of: id))
    }

    func isMentionable(_ role: RoleID) -> Bool? { state?.roles[role]?.mentionable }

    func checkMaySend(_ userID: UserID) throws(APIError) {}

    func publish(_ kind: EventKind, body: [UInt8], in channelID: ChannelID, _ entry: LogMark?) {
        let mark = entry.map { entry in
            StreamMark.log(
                ChannelHead(channelID: channelID, sequence: entry.sequence, epoch: epoch), kind,
                messageID: entry.messageID)
        }
        publish(GuildEvent(kind, body: body, audience: .viewers(of: channelID)), mark)
    }

    func advanced(_ channelID: ChannelID, lastMessageID: MessageID?, lastSequence: SequenceNumber, epoch: Epoch) {
        state?.advance(channelID, lastMessageID: lastMessageID, lastSequence: lastSequence, epoch: epoch)
    }

    func pinned(_ channelID: ChannelID, at moment: Timestamp?) {
        state?.withChannel(channelID) { $0.lastPinAt = moment }
    }
}
