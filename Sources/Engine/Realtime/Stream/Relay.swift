import FluxCluster
import FluxCore

/// A node's copy of one stream (design 2): who listens to it, and its newest events. A value without I/O; `RelayHub`
/// performs what it says.
///
/// On the owner's node events come straight from the owner, and other nodes' relays are among the listeners. Elsewhere the
/// relay registers with the owner, and again whenever the link broke, an event is missing, or the owner changed. Guarantees
/// I6 for its listeners: they get every event in order, or are told that the stream broke.
package struct Relay {
    package enum Standing: Equatable {
        /// The owner lives on this node.
        case home
        /// The owner is asked; what comes meanwhile is held.
        case registering
        /// The stream comes from this node.
        case following(NodeID)
    }

    /// What to do with an event that came.
    package enum Reception: Equatable {
        /// Pass it on to these loops and nodes.
        case deliver
        /// It was here before, or is held until the owner has answered.
        case nothing
        /// Events between `position` and this one are missing: register again.
        case gap
    }

    /// What the owner's answer comes to.
    package struct Welcomed {
        /// Who listened before has missed something and must be told, before all else.
        var isBroken = false
        /// A new owner goes on. Before `events`.
        var succession: Succession?
        /// To be passed on to the loops, in order.
        var events: [StreamEvent] = []
        /// Events are still missing: the relay has to register again.
        var isIncomplete = false
    }

    /// A new owner goes on where the former one ended.
    package struct Succession: Sendable {
        /// How far the relay had followed the former owner.
        package var from: StreamPosition
        /// What brings its listeners to what was committed, at positions of this relay's own.
        package var corrections: [StreamEvent]
        /// Where the new owner's part begins.
        package var start: StreamPosition

        package init(from: StreamPosition, corrections: [StreamEvent], start: StreamPosition) {
            self.from = from
            self.corrections = corrections
            self.start = start
        }
    }

    /// How many events are held while the owner is asked; with more the relay registers anew.
    package static let maximumHeld = 8_192

    package private(set) var standing: Standing
    /// The last event passed on; nil for a relay that has not been answered yet.
    package private(set) var position: StreamPosition?
    package private(set) var ring: EventRing
    package private(set) var view = RelayView()
    /// Bit i is set if loop i has subscribers.
    package private(set) var loops: UInt64 = 0
    /// The other nodes that are sent the stream, by their registration; only at the owner's.
    package private(set) var peers: [NodeID: UInt64] = [:]
    /// Counts this relay's registrations.
    package private(set) var registration: UInt64 = 0
    /// When the last listener left, in milliseconds of the hub's clock; nil while there is one.
    package private(set) var idleSince: UInt64?
    private var held: [StreamEvent] = []
    private var hasDroppedHeld = false

    /// A relay on the owner's node.
    package init(homeAt position: StreamPosition, at now: UInt64) {
        standing = .home
        self.position = position
        ring = EventRing(start: position)
        idleSince = now
    }

    /// A relay of a stream whose owner has to be asked.
    package init(registeringAt now: UInt64) {
        standing = .registering
        ring = EventRing(start: .none)
        idleSince = now
        registration = 1
    }

    package var hasListeners: Bool { loops != 0 || !peers.isEmpty }

    // MARK: Listeners

    /// Gives back half of what is held.
    package mutating func shed() { ring.halve() }

    package mutating func subscribe(loop: Int) {
        loops |= 1 << UInt64(loop)
        idleSince = nil
    }

    package mutating func unsubscribe(loop: Int, at now: UInt64) {
        loops &= ~(1 << UInt64(loop))
        if !hasListeners { idleSince = now }
    }

    package mutating func attach(_ peer: NodeID, registration: UInt64) {
        peers[peer] = registration
        idleSince = nil
    }

    /// Ends a node's registration, if it is still this one.
    package mutating func detach(_ peer: NodeID, registration: UInt64?, at now: UInt64) {
        guard let standing = peers[peer], registration == nil || standing == registration else { return }
        peers[peer] = nil
        if !hasListeners { idleSince = now }
    }

    // MARK: Events

    /// Whether events of the stream that come from a node are of the owner that the relay follows or asks.
    package func acceptsEvents(from peer: NodeID) -> Bool {
        switch standing {
        case .home: false
        case .registering: true
        case .following(let owner): owner == peer
        }
    }

    package mutating func receive(_ event: StreamEvent) -> Reception {
        if standing == .registering {
            if held.count < Self.maximumHeld { held.append(event) } else { hasDroppedHeld = true }
            return .nothing
        }
        guard let position, event.position > position else { return .nothing }
        guard standing == .home || event.position.directlyFollows(position) else { return .gap }
        take(event)
        return .deliver
    }

    /// What the relay has after `position`, in order; nil if it does not reach back so far.
    package func events(after position: StreamPosition) -> [StreamEvent]? {
        ring.events(after: position).map { Array($0) + held.filter { $0.position > position } }
    }

    private mutating func take(_ event: StreamEvent) {
        position = event.position
        ring.append(event)
        view.saw(event.mark)
    }

    // MARK: The owner

    /// The owner was activated on this node and goes on from `position`, with nothing between. A relay that has asked for it and shown
    /// nothing yet begins there, and need not wait for the answer.
    /// - Returns: whether it did so.
    package mutating func ownerBegan(at position: StreamPosition) -> Bool {
        let isNew = standing == .registering && self.position == nil
        guard standing == .home || isNew else { return false }
        if isNew {
            standing = .home
            registration += 1
            held = []
            hasDroppedHeld = false
        }
        self.position = position
        if ring.events.isEmpty { ring = EventRing(start: position) }
        return isNew
    }

    /// The owner is on this node no longer. - Parameter view: what its listeners have seen.
    package mutating func ownerLeft(_ view: RelayView, at now: UInt64) {
        guard standing == .home else { return }
        self.view = view
        peers = [:]
        if !hasListeners { idleSince = now }
        beginRegistering()
    }

    /// The owner has to be asked (again).
    package mutating func beginRegistering() {
        standing = .registering
        held = []
        hasDroppedHeld = false
        registration += 1
    }

    /// The owner has answered the latest registration. - Parameter isHere: whether it lives on this node.
    package mutating func welcomed(_ welcome: RelayWelcome, isHere: Bool) -> Welcomed {
        var result = Welcomed()
        let isNew = position == nil
        switch welcome.continuation {
        case .goesOn:
            break
        case .begins(let start, let view):
            result.isBroken = !isNew
            begin(at: start, view)
        case .succeeds(let start, let view, let channels):
            let from = position ?? .none
            if let events = correct(channels) {
                result.succession = Succession(from: from, corrections: events, start: start)
                position = start
                self.view = view
            } else {
                result.isBroken = true
                begin(at: start, view)
            }
        }
        standing = isHere ? .home : .following(welcome.owner)
        let waiting = held
        result.isIncomplete = hasDroppedHeld
        held = []
        hasDroppedHeld = false
        for event in waiting {
            switch receive(event) {
            case .deliver: result.events.append(event)
            case .nothing: break
            case .gap: result.isIncomplete = true
            }
        }
        return result
    }

    private mutating func begin(at start: StreamPosition, _ view: RelayView) {
        position = start
        ring = EventRing(start: start)
        self.view = view
    }

    // MARK: Taking back (I5)

    /// Shows what has to be taken back and what was missed, as events of the former epoch.
    /// - Returns: what was shown; nil if the relay cannot: it does not hold all that has to be taken back, or something of
    ///   it cannot be undone by an event.
    private mutating func correct(_ channels: [ChannelCorrection]) -> [StreamEvent]? {
        guard var last = position else { return nil }
        var shown: [StreamEvent] = []
        for channel in channels {
            guard let retracted = retractions(in: channel) else { return nil }
            for event in retracted + channel.missed {
                last.number += 1
                shown.append(event.moved(to: last))
            }
        }
        for event in shown { take(event) }
        return shown
    }

    /// The events that undo what the relay showed of a channel beyond what stands, newest first.
    private func retractions(in channel: ChannelCorrection) -> [StreamEvent]? {
        guard let shown = view.heads[channel.channelID]?.sequence, shown > channel.standsUpTo else { return [] }
        var retracted: [StreamEvent] = []
        var missing = shown - channel.standsUpTo
        for event in ring.events.reversed() {
            guard missing > 0 else { break }
            guard case .log(let head, let kind, let messageID)? = event.mark, head.channelID == channel.channelID
            else { continue }
            // What is older than a rollback has a smaller number; the newest of each number comes first from here.
            guard head.sequence == channel.standsUpTo + missing else { return nil }
            guard kind == .messageCreate, let messageID else { return nil }
            retracted.append(event.retracting(messageID, of: channel.channelID))
            missing -= 1
        }
        return missing == 0 ? retracted : nil
    }
}

extension StreamEvent {
    /// The same event at another place of its stream.
    func moved(to position: StreamPosition) -> StreamEvent {
        StreamEvent(
            position: position, kind: kind, body: body, audience: audience, intents: intents, subject: subject,
            control: control, mark: mark)
    }

    /// The MESSAGE_DELETE that takes back a message of this event's channel.
    fileprivate func retracting(_ messageID: MessageID, of channelID: ChannelID) -> StreamEvent {
        let guildID = (try? JSON.parse(body))?["guild_id"]?.snowflakeValue
        return StreamEvent(
            kind: .messageDelete, body: Self.retraction(of: messageID, in: channelID, of: guildID), audience: audience,
            intents: intents, subject: subject)
    }

    /// The body of the MESSAGE_DELETE that takes back a message which was shown and never committed. It is no entry of the log and
    /// carries no seq: the number is given again under the next epoch (protocol 10.5).
    package static func retraction(
        of messageID: MessageID, in channelID: ChannelID, of guildID: GuildID? = nil
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("id", messageID)
        writer.field("channel_id", channelID)
        if let guildID { writer.field("guild_id", guildID) }
        writer.endObject()
        return writer.bytes
    }
}
