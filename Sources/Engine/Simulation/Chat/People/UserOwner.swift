import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore

/// A user at their owner: what `UserActor` does around `UserState`, `ConversationLogs`, `StreamPublisher` and `UserSuccession`.
final class UserOwner {
    let userID: UserID
    /// Outlives all that stands in it.
    unowned(unsafe) let node: ChatNode
    let epoch: Epoch
    let slot: Slot
    private var publisher: StreamPublisher
    private var succession: UserSuccession
    @exclusivity(unchecked) private(set) var state: UserState
    @exclusivity(unchecked) private var conversations: ConversationLogs
    private(set) var isActive = true

    // Changes, one after the other.
    let turns = Turns()
    /// Who waits for a look into the outbox that waits for its turn.
    var waitingLooks: [() -> Void] = []
    /// Whether the outbox was looked into since the beginning.
    var isCaughtUp = false
    private(set) var openCommits = 0

    /// Conversations that are being asked.
    private var asked = 0
    private var isComparisonDue = false

    init(_ loaded: LoadedUser, node: ChatNode, epoch: Epoch) {
        userID = loaded.user.id
        self.node = node
        self.epoch = epoch
        slot = Slot(of: loaded.user.id)
        state = UserState(loaded)
        conversations = ConversationLogs(of: loaded.user.id)
        for direct in loaded.directMessages { conversations.begin(direct.channel) }
        let key = StreamKey.user(loaded.user.id)
        publisher = StreamPublisher(key: key, epoch: epoch, at: node.now)
        succession = UserSuccession(epoch: epoch, start: publisher.position)
        node.relays.streamBegan(key, at: publisher.position, now: node.now)
        node.world.auditor.trace(node.world.now, "node \(node.id) owns user \(loaded.user.id), epoch \(epoch)")
        let memory = node.memories.take(user: userID, at: epoch)
        let steps = memory.map { conversations.recall($0.conversations) } ?? []
        succession.inheritedVersion = version
        if let memory, memory.version == version { succession.inherited = memory.position }
        perform(steps)
    }

    /// What the user's next owner needs of what is not stored.
    var memory: UserMemory {
        UserMemory(
            userID: userID, position: publisher.position, version: version, sessions: [],
            conversations: conversations.memory)
    }

    var world: ChatWorld { node.world }
    var key: StreamKey { publisher.key }
    var position: StreamPosition { publisher.position }
    /// Stands for all durable things that the user's sessions are shown.
    private var version: UInt64 { state.digest &+ conversations.digest }
    private var view: RelayView { RelayView(version: version) }
    /// Whether no call is under way.
    var isQuiet: Bool { turns.isIdle && waitingLooks.isEmpty }
    /// Whether nothing is under way.
    var isAtRest: Bool { isQuiet && openCommits == 0 && asked == 0 && !isComparisonDue }

    private func trace(_ text: @autoclosure () -> String) {
        world.auditor.trace(world.now, "user \(userID) at node \(node.id): \(text())")
    }

    /// The slot is lost or given away.
    func deactivate() {
        guard isActive else { return }
        isActive = false
        node.relays.ownerLeft(key, view, at: node.now)
        forget()
    }

    /// Lets go of those who wait, who refer to it.
    func forget() {
        turns.end()
        waitingLooks = []
    }

    /// A node's relay wants the stream.
    func register(_ request: RelayRegistration) -> RelayWelcome {
        node.leases.grant(to: request.node, at: node.now)
        var shown = request.view
        if world.bug == .staleUserViewKept { shown = RelayView(version: succession.inheritedVersion) }
        let next = succession.next(after: request.position, shown, last: publisher.position, view: view) {
            node.relays.emitted(key, after: $0)
        }
        node.relays.attach(request.node, registration: request.number, to: key, replaying: next.replayed)
        perform(conversations.followed())
        if next.isToBeMadeUpFor { compareSoon() }
        trace("node \(request.node), that stands at \(request.position.map { "\($0)" } ?? "-"): \(next.continuation)")
        return RelayWelcome(owner: node.id, continuation: next.continuation)
    }

    /// A session begins. What comes while the parts are read is said twice, in them and after them (I6).
    func open(_ respond: @escaping (UserSnapshot?) -> Void) {
        let position = publisher.position
        readParts { [self] directs, isWaitedFor in
            guard isActive, let directs else { return respond(nil) }
            guard isWaitedFor, world.bug != .outboxUnswept else { return respond(snapshot(at: position, directs)) }
            takeFromOutbox { [self] in
                guard isActive else { return respond(nil) }
                let position = publisher.position
                readParts { [self] directs, _ in respond(directs.map { snapshot(at: position, $0) }) }
            }
        }
    }

    private func readParts(_ body: @escaping (_ directs: [DirectMessage]?, _ isWaitedFor: Bool) -> Void) {
        let (userID, society) = (userID, world.society)
        world.read(for: node) {
            (directs: $0.directMessages(of: userID, in: society), isWaitedFor: !$0.people.pending(for: userID).isEmpty)
        } _: {
            body($0?.directs, $0?.isWaitedFor ?? false)
        }
    }

    private func snapshot(at position: StreamPosition, _ directs: [DirectMessage]) -> UserSnapshot {
        var snapshot = UserSnapshot(position: position)
        for side in state.standingRelationships { snapshot.relationships[side.peerID] = side.kind }
        for direct in directs {
            var channel = direct.channel
            conversations.bringUp(&channel)
            snapshot.heads[channel.id] = DirectHead(channel)
        }
        return snapshot
    }

    // MARK: Events

    /// Passes an event to the user's sessions.
    /// - Parameter version: of all that is shown once the event is; nil if another one follows that belongs to it.
    private func emit(
        _ kind: EventKind, body: [UInt8], audience: Audience = .everyone, control: StreamControl? = nil,
        version: UInt64?
    ) {
        node.relays.publish(
            publisher.next(
                kind, body: body, audience: audience, control: control, mark: version.map(StreamMark.version)),
            of: key)
    }

    // MARK: Conversations

    /// An event of a conversation.
    func receive(_ event: DirectEvent) {
        perform(
            conversations.receive(
                event, isFollowed: node.relays.hasSubscribers(key), reign: reign(over: event.channelID), at: node.now))
    }

    /// A conversation's owner says where its log stands.
    func heard(_ head: ChannelHead) {
        perform(
            conversations.heard(
                DirectHead(lastSequence: head.sequence, epoch: head.epoch), of: head.channelID,
                isFollowed: node.relays.hasSubscribers(key)))
    }

    /// The epoch at which a conversation is owned now, as far as is known here.
    private func reign(over channel: ChannelID) -> Epoch { node.slots[Slot(of: channel)].epoch }

    private func perform(_ steps: [ConversationLogs.Step]) {
        for step in steps {
            trace("\(step)")
            switch step {
            case .show(let event, let digest):
                emit(event.kind, body: event.body, version: digest.map { state.digest &+ $0 })
            case .retract(let message, let channel, let digest):
                guard world.bug != .conversationNotRetracted else { continue }
                emit(
                    .messageDelete, body: StreamEvent.retraction(of: message, in: channel),
                    version: digest.map { state.digest &+ $0 })
            case .passOver: succession.passedOver(after: publisher.position)
            case .ask(let question):
                guard world.bug != .conversationGapIgnored else {
                    perform(conversations.unanswered(question.head.channelID, isGone: true, at: node.now))
                    continue
                }
                ask(question)
            case .breakOff: emit(.sessionsReplace, body: [], audience: .nobody, control: .broken, version: version)
            }
        }
    }

    private func ask(_ question: DirectQuestion) {
        let channel = question.head.channelID
        guard let direct = world.society.directs.first(where: { $0.id == channel }) else { return }
        asked += 1
        node.call(direct.slot, deadline: .seconds(5)) {
            (owner: ChatNode, respond: @escaping (DirectCorrection?) -> Void) in
            owner.conversation(direct) { owner in
                if let owner { owner.missed(question, respond) } else { respond(nil) }
            }
        } _: { [self] correction in
            guard isActive else { return }
            if let correction {
                asked -= 1
                return perform(conversations.answered(correction, reign: reign(over: channel), at: node.now))
            }
            world.after(.seconds(1), on: node) { [self] in
                guard isActive else { return }
                asked -= 1
                perform(conversations.unanswered(channel, isGone: false, at: node.now))
            }
        }
    }

    /// These slots have other owners.
    func slotsMoved(_ slots: Set<Slot>) {
        if conversations.touches(slots) { compareSoon() }
    }

    /// Compares the conversations with what is stored, soon.
    private func compareSoon() {
        guard !isComparisonDue else { return }
        isComparisonDue = true
        world.after(.seconds(2), on: node) { [self] in compare() }
    }

    private func compare() {
        isComparisonDue = false
        guard isActive, node.relays.hasSubscribers(key) else { return }
        let (userID, society) = (userID, world.society)
        world.read(for: node) {
            $0.directMessages(of: userID, in: society)
        } _: { [self] directs in
            guard isActive else { return }
            guard let directs else { return compareSoon() }
            for direct in directs {
                perform(conversations.compared(DirectHead(direct.channel), of: direct.channel.id))
            }
        }
    }

    // MARK: Changes

    /// Commits the changes of a plan in one mutation, then applies them and tells of them.
    /// - Parameter completion: is told whether they are durable.
    func carryOut(_ plan: UserPlan, _ completion: @escaping (Bool) -> Void) {
        let writes = state.writes(for: plan.changes, at: node.timestamp)
        openCommits += 1
        node.people.openStatements += 1
        do {
            try node.commit(.statements(writes.statements), slot: slot, epoch: epoch) { [self] result in
                openCommits -= 1
                node.people.openStatements -= 1
                guard isActive, result == .committed else { return completion(false) }
                let events = state.apply(plan.changes).events
                for (index, event) in events.enumerated() {
                    emit(event.kind, body: event.body, version: index == events.count - 1 ? version : nil)
                }
                for target in plan.notices.compactMap(\.target) { node.hint(target.id) }
                completion(true)
            }
        } catch {
            openCommits -= 1
            node.people.openStatements -= 1
            completion(false)
        }
    }
}

/// What a session is told of its user when it opens.
struct UserSnapshot {
    let position: StreamPosition
    var relationships: [UserID: Relationship.Kind] = [:]
    var heads: [ChannelID: DirectHead] = [:]
}
