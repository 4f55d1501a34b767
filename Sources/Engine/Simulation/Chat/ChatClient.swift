import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore

/// A client that keeps what it is told, in each channel, and says when that cannot be right.
///
/// It behaves as the protocol asks: it sends again under the same nonce what was not answered, resumes, and when it cannot,
/// begins anew and asks each channel for what happened since.
final class ChatClient {
    let number: Int
    let userID: UserID
    /// Outlives all that stands in it.
    unowned(unsafe) let world: ChatWorld
    /// Those of its guilds, then those of its own.
    private let channels: [ChannelID]
    let directs: [ChannelID]
    @exclusivity(unchecked) private(set) var session: ChatSession?
    private var sessionKey: SessionKey?
    /// The node that the session was on when it was seen last.
    private var sessionNode: ChatNode?
    /// Its node has told it to go elsewhere.
    private var isSentAway = false
    @exclusivity(unchecked) private(set) var isReady = false
    @exclusivity(unchecked) private(set) var connection = 0
    @exclusivity(unchecked) private var lastArrival: Duration = .zero
    @exclusivity(unchecked) private(set) var lastSequence: UInt64 = 0
    @exclusivity(unchecked) private var hasOpened = false
    @exclusivity(unchecked) var views = ChannelMap<View>()
    @exclusivity(unchecked) var open: [Int: Send] = [:]
    @exclusivity(unchecked) var acknowledged: [Int: MessageID] = [:]
    @exclusivity(unchecked) var nonces: [Send] = []
    @exclusivity(unchecked) var own: [(channel: ChannelID, message: MessageID)] = []
    @exclusivity(unchecked) var nextNonce = 0
    /// What others are to its user.
    var relationships: [UserID: Relationship.Kind] = [:]

    init(number: Int, world: ChatWorld) {
        self.number = number
        self.world = world
        userID = Self.userID(number)
        directs = world.society.directs(of: userID).map(\.id)
        channels = world.guilds.flatMap(\.channels) + directs
    }

    static func userID(_ number: Int) -> UserID { UserID(UInt64(10 + number)) }

    static func number(of userID: UserID) -> Int { Int(userID.rawValue) - 10 }

    /// Whether it has heard all it asked for and is in no state between two.
    var isSettled: Bool { isReady && open.isEmpty && views.values.allSatisfy { $0.waiting == nil } }

    /// What it waits for.
    var state: String {
        "ready \(isReady), open \(open.count), catching up \(views.values.count { $0.waiting != nil })"
    }

    // MARK: The connection

    /// Carries something from the node, in order.
    func hear(_ connection: Int, _ body: @escaping (ChatClient) -> Void) {
        world.queue.schedule(.told(self, connection: connection, body), at: nextArrival())
    }

    /// Carries an event of the session, in order.
    func hear(_ connection: Int, _ event: StreamEvent, sequence: UInt64) {
        world.queue.schedule(
            .event(self, connection: connection, event, sequence: sequence), at: nextArrival())
    }

    private func nextArrival() -> Duration {
        lastArrival = max(world.now + world.milliseconds(0.1...1.5), lastArrival)
        return lastArrival
    }

    /// Whether this is the connection that it has now.
    func isOn(_ connection: Int) -> Bool { self.connection == connection }

    /// Does something after a while, unless the connection has gone by then.
    func onThisConnection(after wait: Duration, _ body: @escaping (ChatClient) -> Void) {
        let connection = connection
        world.after(wait) { [self] in if self.connection == connection { body(self) } }
    }

    /// Carries something to the node that the client is connected to.
    func say(_ body: @escaping (ChatSession) -> Void) {
        guard let session else { return }
        let connection = connection
        world.after(world.milliseconds(0.1...1.5), on: session.node) { [self] in
            if self.connection == connection, session.phase != .ended { body(session) }
        }
    }

    /// Asks the owner of a channel, over the node that the client is connected to. There is no answer when the connection is
    /// gone; nil if the owner cannot be had now.
    func ask<Answer>(
        of channel: ChannelID, _ perform: @escaping (ChannelOwner, @escaping (Answer?) -> Void) -> Void,
        _ completion: @escaping (ChatClient, Answer?) -> Void
    ) {
        let connection = connection
        say { session in
            session.node.askOwner(of: channel, perform) { answer in
                self.hear(connection) { completion($0, answer) }
            }
        }
    }

    /// Goes to some node and begins a session, or goes on with the one it has.
    func connect() {
        guard session == nil else { return }
        connection += 1
        let connection = connection
        // A node that does not answer is left.
        world.after(.seconds(8)) { [self] in
            if self.connection == connection, !isReady { connectionLost() }
        }
        let ready = world.nodes.all.filter { $0.isRunning && world.cluster.nodes.isReady($0.id) }
        if let key = sessionKey, let node = nodeToResumeOn(ready) {
            let client = ChatNode.ArrivingClient(client: self, connection: connection, sequence: lastSequence)
            return world.after(world.milliseconds(0.2...2), on: node) { node.resume(key, for: client) }
        }
        forgetSession()
        guard !ready.isEmpty else { return connectLater() }
        let node = world.pick(ready)
        world.after(world.milliseconds(0.2...2), on: node) { [self] in
            guard self.connection == connection, session == nil else { return }
            lastSequence = 0
            world.lastSession += 1
            let key = SessionKey(nodeID: node.id.rawValue, random: world.lastSession)
            let session = ChatSession(key, client: self, connection: connection, node: node)
            self.session = session
            session.open()
        }
    }

    /// Most clients come back to where they were; some are sent to another node, as a load balancer does.
    private func nodeToResumeOn(_ ready: [ChatNode]) -> ChatNode? {
        if let node = sessionNode, node.isRunning, ready.isEmpty || !isSentAway && world.chance(0.7) { return node }
        return ready.isEmpty ? nil : world.pick(ready)
    }

    private func connectLater() {
        let connection = connection
        world.after(world.milliseconds(100...800)) { [self] in if self.connection == connection { connect() } }
    }

    /// The connection broke; the session may live.
    func connectionLost() {
        if let session, session.node.isRunning {
            let connection = connection
            session.node.perform { session.detach(connection) }
        }
        disconnect()
        connectLater()
    }

    private func disconnect() {
        connection += 1
        session = nil
        isReady = false
    }

    /// The node says that it has to come back, here or elsewhere.
    func toldToReconnect(after wait: Duration) {
        let connection = connection
        world.after(wait) { [self] in
            guard self.connection == connection else { return }
            isSentAway = true
            disconnect()
            connectLater()
        }
    }

    /// Its session was found.
    func attached(to session: ChatSession) { self.session = session }

    /// Its session cannot be had now, or not at all.
    func refused(resumable: Bool) {
        guard resumable else { return invalidated() }
        disconnect()
        connectLater()
    }

    /// The session cannot be continued.
    func invalidated() {
        disconnect()
        forgetSession()
        connectLater()
    }

    private func forgetSession() {
        if let node = sessionNode, let key = sessionKey, node.isRunning {
            node.perform { node.sessions[key]?.end(tellingClient: false) }
        }
        sessionNode = nil
        sessionKey = nil
        isSentAway = false
    }

    private func isOnSession() {
        sessionNode = session?.node
        sessionKey = session?.key
        isSentAway = false
        isReady = true
    }

    // MARK: Events

    func opened(_ snapshot: ReadySnapshot, sequence: UInt64) {
        count(sequence)
        isOnSession()
        world.auditor.trace(world.now, "client \(number) opens \(sessionName)")
        relationships = snapshot.user.relationships
        let isFirst = !hasOpened
        hasOpened = true
        for guild in world.guilds {
            let seen = snapshot.guilds[guild.id]
            for channel in guild.channels {
                if let seen, seen.visibility.contains(channel) {
                    takeUp(channel, head: snapshot.head(of: channel), isFirst: isFirst)
                } else {
                    views[channel] = nil
                }
            }
        }
        for channel in directs {
            takeUp(channel, head: snapshot.head(of: channel), isFirst: isFirst)
            // READY may know more of a conversation than its user's stream has told yet.
            if isFirst, let view = views[channel] { view.asked = view.head }
        }
        sendAgain()
    }

    func resumed(sequence: UInt64) {
        count(sequence)
        isOnSession()
        world.auditor.trace(world.now, "client \(number) resumes \(sessionName)")
        // What was being asked when the connection broke is asked again.
        for channel in channels {
            if let view = views[channel], view.waiting != nil { ask(channel, view) }
        }
        sendAgain()
    }

    func received(_ event: StreamEvent, sequence: UInt64) {
        count(sequence)
        if let channel = event.channel { received(event, in: channel) } else { heardOfGuild(event) }
    }

    /// An event of a channel.
    func received(_ event: StreamEvent, in channel: ChannelID) {
        guard let view = views[channel] else { return }
        if view.waiting != nil { view.waiting?.append(event) } else { apply(event, channel, view) }
    }

    private var sessionName: String {
        "session \(sessionKey?.description ?? "-") on node \(sessionNode?.id.description ?? "-")"
    }

    private func count(_ sequence: UInt64) {
        if sequence != lastSequence + 1 {
            violate("I6: event \(sequence) of the session follows \(lastSequence)")
        }
        lastSequence = sequence
        world.auditor.note(sequence)
    }

    func apply(_ event: StreamEvent, _ channel: ChannelID, _ view: View) {
        guard case .log(let head, let kind, _)? = event.mark else {
            if event.kind == .messageDelete { takeBack(event, channel) }
            return
        }
        if view.hasBeenTold(head) { return }
        guard let number = Ledger.number(in: event.body), world.ledger.decisions.indices.contains(number) else {
            return violate("an event that nobody decided")
        }
        show(head.sequence, head.epoch, kind, number, channel, view)
    }

    func show(
        _ sequence: SequenceNumber, _ epoch: Epoch, _ kind: EventKind, _ number: Int, _ channel: ChannelID,
        _ view: View
    ) {
        let (head, world) = (view.head, world)
        world.auditor.note(UInt64(bitPattern: sequence) &* 31 &+ UInt64(number))
        if sequence <= head.sequence || epoch < head.epoch {
            // What it stands at was never committed, and a new owner gives its number again: that had to be taken back. What a
            // session began with it has not shown: there is nothing to take back.
            let isFalse = epoch > head.epoch && world.messages.epoch(of: head.sequence, in: channel) != head.epoch
            if isFalse, view.applied.isEmpty {
                view.base = (sequence - 1, world.messages.epoch(of: sequence - 1, in: channel))
                view.start = (sequence - 1, world.messages.epoch(of: sequence - 1, in: channel))
            } else {
                violate(
                    "\(isFalse ? "I5" : "I2"): channel \(channel): (\(epoch), \(sequence)) after (\(head.epoch), \(head.sequence))"
                )
            }
        }
        if sequence > head.sequence + 1 {
            for missing in head.sequence + 1..<sequence where isMissing(missing, before: epoch, in: channel) {
                violate("I6: channel \(channel): (\(epoch), \(sequence)) after \(head.sequence), \(missing) is missing")
                break
            }
        }
        let decision = world.ledger.decisions[number]
        guard decision.channel == channel else {
            return violate("channel \(channel): an event that was decided in channel \(decision.channel)")
        }
        let message = decision.message
        world.auditor.trace(
            world.now, "client \(self.number) channel \(channel.short) (\(epoch), \(sequence)) \(kind) \(message.short)"
        )
        let place = world.ledger.places[number]
        let before =
            if kind == .messageReactionAdd || kind == .messageReactionRemove {
                world.ledger.reactions[number].flatMap { view.reactions.show($0, as: number) }
            } else {
                view.messages.show(place, as: kind == .messageDelete ? nil : number)
            }
        view.head = (sequence, epoch)
        view.applied.append(
            Applied(sequence: sequence, epoch: epoch, decision: number, place: place, before: before))
    }

    /// Whether an owner of this epoch should have told the entry. Of one that is over, what it withdrew is nowhere, or a later owner has
    /// given its number again; what it shows now does not stand either.
    private func isMissing(_ sequence: SequenceNumber, before epoch: Epoch, in channel: ChannelID) -> Bool {
        guard !world.messages.isVoid(sequence, in: channel) else { return false }
        guard world.isOver(epoch, of: channel) else { return true }
        let stored = world.messages.epoch(of: sequence, in: channel)
        return stored > 0 && stored <= epoch
    }

    /// Something that was shown never came to be.
    private func takeBack(_ event: StreamEvent, _ channel: ChannelID) {
        guard let body = try? JSON.parse(event.body), let message = body["id"]?.snowflakeValue else {
            return violate("a retraction that names nothing")
        }
        guard let last = views[channel]?.applied.last else { return }
        let decision = world.ledger.decisions[last.decision]
        // Who has asked the channel meanwhile was told there, and may have shown the later deletion of the message.
        guard decision.message == message, decision.kind != .delete, decision.kind != .takeBack else { return }
        undo(channel)
    }

    func undo(_ channel: ChannelID) {
        guard let view = views[channel], let last = view.applied.popLast() else { return }
        world.auditor.trace(
            world.now, "client \(number) channel \(channel.short) takes back (\(last.epoch), \(last.sequence))")
        if let key = world.ledger.reactions[last.decision] {
            _ = view.reactions.show(key, as: last.before)
        } else {
            _ = view.messages.show(last.place, as: last.before)
        }
        view.head = view.applied.last.map { ($0.sequence, $0.epoch) } ?? view.start
    }

    func violate(_ text: String) { world.auditor.violate(world.now, "client \(number): \(text)") }
}

extension Snowflake {
    /// The last digits, for traces.
    var short: String { String(String(rawValue).suffix(6)) }
}

extension StreamEvent {
    /// The channel that the event belongs to.
    fileprivate var channel: ChannelID? {
        if case .viewers(let channel) = audience { channel } else { nil }
    }
}
