import FluxCluster
import FluxCore

/// The relays of the streams whose slot is pinned to one loop. Takes in what the owners emit and passes it to the loops and
/// nodes that listen: what gathers in one turn crosses to a loop in one batch, and to a node in one frame (design 7). Confined
/// to its loop.
package final class RelayHub {
    package typealias Entry = (key: StreamKey, event: StreamEvent)

    /// How long a relay without listeners is kept, in milliseconds: long enough for a session that moves, and for the nodes that
    /// turn to a new owner.
    package static let idleMilliseconds: UInt64 = 60_000

    private let loopCount: Int
    private let node: NodeID
    private let ways: Ways
    private var relays: [StreamKey: Relay] = [:]
    /// The nodes that are, or were, sent something.
    private var audience: Set<NodeID> = []
    private var loopBatches: [[Entry]]
    private var peerBatches: [NodeID: [Entry]] = [:]
    /// Room for the next batches.
    private var emptyPeerBatches: [NodeID: [Entry]] = [:]
    private var flushIsDue = false
    private var peerFlushIsDue = false
    /// Batches handed to loops; one message is at most one batch per loop.
    package private(set) var batchesHandedOver: UInt64 = 0
    /// Frames with events sent to other nodes; one message is at most one frame per node.
    package private(set) var framesSent: UInt64 = 0
    /// Who waits for a relay to be answered.
    private var waiting: [StreamKey: [(Bool) -> Void]] = [:]
    /// Streams with events since their nodes were last told where they stand.
    private var moved: Set<StreamKey> = []

    /// - Parameter loopCount: how many loops the node has.
    package init(loopCount: Int, node: NodeID, ways: Ways) {
        self.loopCount = loopCount
        self.node = node
        self.ways = ways
        loopBatches = Array(repeating: [], count: loopCount)
    }

    // MARK: Listeners of this node

    /// A loop has its first subscriber of the stream.
    /// - Parameter position: where the owner stands; nil if it is not in memory here. Then it is asked as one of another node is,
    ///   because the listeners may come from where an earlier one stood.
    package func subscribe(loop: Int, to key: StreamKey, at now: UInt64, position: @autoclosure () -> StreamPosition?) {
        var isNew = false
        if relays[key] == nil {
            let home = ways.isHome(key.slot) ? position() : nil
            relays[key] = home.map { Relay(homeAt: $0, at: now) } ?? Relay(registeringAt: now)
            isNew = home == nil
        }
        relays[key]?.subscribe(loop: loop)
        if isNew { register(key) }
    }

    /// A loop's last subscriber has left.
    package func unsubscribe(loop: Int, from key: StreamKey, at now: UInt64) {
        relays[key]?.unsubscribe(loop: loop, at: now)
    }

    /// Calls back, with true, when every later event of the stream is certain to reach its subscribers, so that a snapshot
    /// can be taken; with false when the owner cannot be asked now.
    package func whenReady(_ key: StreamKey, _ completion: @escaping (Bool) -> Void) {
        guard let relay = relays[key] else { return completion(false) }
        guard relay.standing == .registering else { return completion(true) }
        waiting[key, default: []].append(completion)
    }

    /// Where the relay stands; nil if there is none, or its owner has to be asked.
    package func position(of key: StreamKey) -> StreamPosition? {
        guard let relay = relays[key], relay.standing != .registering else { return nil }
        return relay.position
    }

    /// Whether everything up to a position has been handed to the loops that listen, or nobody listens.
    package func hasHandedOver(_ key: StreamKey, _ position: StreamPosition) -> Bool {
        guard hasApplied(key, position) else { return false }
        flush()
        return true
    }

    /// What the relay holds after `position`, for a session that moved; nil if it does not reach back so far.
    package func events(of key: StreamKey, after position: StreamPosition) -> [StreamEvent]? {
        relays[key]?.ring.events(after: position).map(Array.init)
    }

    /// Whether anybody listens to the stream, here or on another node.
    package func hasSubscribers(_ key: StreamKey) -> Bool { relays[key]?.hasListeners ?? false }

    // MARK: The owner on this node

    /// The stream's owner was activated on this loop. A relay is kept from here on, so that nodes which turn to this owner
    /// get what it has emitted already.
    package func streamBegan(_ key: StreamKey, at position: StreamPosition, now: UInt64) {
        if relays[key] == nil { relays[key] = Relay(homeAt: position, at: now) }
        if relays[key]?.ownerBegan(at: position) == true { settleWaiting(key, true) }
    }

    /// The owner has left this node; who listens here turns to the new one.
    package func ownerLeft(_ key: StreamKey, _ view: RelayView, at now: UInt64) {
        guard let relay = relays[key], relay.standing == .home else { return }
        if !relay.peers.isEmpty {
            // They may learn of the new owner late, and would hear of nothing until then.
            flushPeers()
            ways.sendAway(Array(relay.peers.keys), key)
        }
        relays[key]?.ownerLeft(view, at: now)
        continueOrForget(key)
    }

    /// Takes in an event from the stream's owner on this node.
    package func publish(_ event: StreamEvent, of key: StreamKey) { receive(event, of: key) }

    /// What the owner has emitted after `position`; nil if that is not held.
    package func emitted(_ key: StreamKey, after position: StreamPosition) -> [StreamEvent]? {
        relays[key]?.events(after: position)
    }

    /// Sends the stream to another node from here on, first what it missed.
    package func attach(_ peer: NodeID, registration: UInt64, to key: StreamKey, replaying events: [StreamEvent]) {
        guard peer != node else { return }
        audience.insert(peer)
        relays[key]?.attach(peer, registration: registration)
        guard !events.isEmpty else { return }
        peerBatches[peer, default: []] += events.map { (key, $0) }
        schedulePeerFlush()
    }

    /// Another node listens no longer.
    package func detach(_ peer: NodeID, registration: UInt64?, from key: StreamKey, at now: UInt64) {
        relays[key]?.detach(peer, registration: registration, at: now)
    }

    /// The nodes that are sent the stream.
    package func peers(of key: StreamKey) -> [NodeID] { relays[key].map { Array($0.peers.keys) } ?? [] }

    /// Where the streams stand that moved since this was last asked, by the nodes that are sent them.
    package func takeHeads() -> [NodeID: [StreamHead]] {
        var heads: [NodeID: [StreamHead]] = [:]
        for key in moved {
            guard let relay = relays[key], relay.standing == .home, let position = relay.position else { continue }
            for peer in relay.peers.keys { heads[peer, default: []].append(StreamHead(key: key, position: position)) }
        }
        moved = []
        return heads
    }

    // MARK: The owner elsewhere

    /// Events came from another node.
    package func receive(_ events: [Entry], from peer: NodeID) {
        for entry in events {
            guard let index = relays.index(forKey: entry.key) else { continue }
            pass(entry.event, of: entry.key, relays.values[index].takeIn(entry.event, from: peer))
        }
    }

    /// Another node says where its streams stand: a last event that got lost shows here.
    package func receive(_ heads: [StreamHead], from peer: NodeID) {
        for head in heads {
            guard let relay = relays[head.key], relay.standing == .following(peer), let position = relay.position,
                position < head.position
            else { continue }
            catchUp(head.key)
        }
    }

    /// What this node follows, by the node that it comes from.
    package var claims: [NodeID: [RelayClaim]] {
        var claims: [NodeID: [RelayClaim]] = [:]
        for (key, relay) in relays where relay.loops != 0 {
            guard case .following(let owner) = relay.standing, let position = relay.position else { continue }
            claims[owner, default: []].append(
                RelayClaim(key: key, registration: relay.registration, position: position))
        }
        return claims
    }

    /// What a node has to be told that claims to follow streams of this one.
    /// - Returns: the streams that it is not sent, and the heads of those of which it has not got all: a head that was sent
    ///   when they moved may have been lost with the last event.
    package func judge(_ claims: [RelayClaim], of peer: NodeID) -> (unfounded: [StreamKey], behind: [StreamHead]) {
        // What has gathered for the node comes before the heads.
        flushPeers()
        var (unfounded, behind): ([StreamKey], [StreamHead]) = ([], [])
        for claim in claims {
            guard let relay = relays[claim.key], relay.peers[peer] == claim.registration else {
                unfounded.append(claim.key)
                continue
            }
            guard let position = relay.position, position > claim.position else { continue }
            behind.append(StreamHead(key: claim.key, position: position))
        }
        return (unfounded, behind)
    }

    /// A node says that it does not send these streams: their owners have to be found.
    package func sentAway(_ keys: [StreamKey], by peer: NodeID) {
        for key in keys where relays[key]?.standing == .following(peer) { registerAgain(key) }
    }

    /// The owner has answered a registration.
    package func answered(_ key: StreamKey, registration: UInt64, _ welcome: RelayWelcome) {
        guard relays[key]?.registration == registration, relays[key]?.standing == .registering,
            let result = relays[key]?.welcomed(welcome, isHere: welcome.owner == node)
        else { return }
        if result.isBroken { breakOff(key) }
        if let succession = result.succession { succeed(key, succession) }
        if !result.events.isEmpty, let loops = relays[key]?.loops {
            for event in result.events { enqueue(event, of: key, toLoops: loops) }
        }
        if result.isIncomplete {
            registerAgain(key)
        } else {
            settleWaiting(key, true)
        }
    }

    /// The owner could not be asked; who waits is told.
    /// - Returns: whether it is to be tried again after a while, because somebody listens.
    package func unanswered(_ key: StreamKey, registration: UInt64) -> Bool {
        guard relays[key]?.registration == registration, relays[key]?.standing == .registering else { return false }
        settleWaiting(key, false)
        guard relays[key]?.loops == 0 else { return true }
        relays[key] = nil
        return false
    }

    /// Asks the owner once more, unless it has been asked anew since.
    package func tryAgain(_ key: StreamKey, registration: UInt64) {
        guard relays[key]?.registration == registration, relays[key]?.standing == .registering else { return }
        register(key)
    }

    /// There is no such stream (any more).
    package func refused(_ key: StreamKey, registration: UInt64) {
        guard relays[key]?.registration == registration else { return }
        breakOff(key)
        settleWaiting(key, false)
        relays[key] = nil
    }

    /// The streams of these slots have another owner now, which may be on this node.
    package func ownersChanged(_ slots: Set<Slot>) {
        for (key, relay) in relays where slots.contains(key.slot) {
            if relay.standing == .home, ways.isHome(key.slot) { continue }
            registerAgain(key)
        }
    }

    /// The link to a node was lost, or its lease had run out: what came from there may be incomplete.
    package func mistrust(_ peer: NodeID) {
        for (key, relay) in relays where relay.standing == .following(peer) { registerAgain(key) }
    }

    /// The nodes that streams come from.
    package var owners: Set<NodeID> {
        var owners: Set<NodeID> = []
        for relay in relays.values { if case .following(let node) = relay.standing { owners.insert(node) } }
        return owners
    }

    private func registerAgain(_ key: StreamKey) {
        relays[key]?.beginRegistering()
        continueOrForget(key)
    }

    /// Events are missing; who listens needs them.
    private func catchUp(_ key: StreamKey) {
        if isUnwanted(key) { leave(key) } else { registerAgain(key) }
    }

    private func continueOrForget(_ key: StreamKey) {
        if isUnwanted(key) { relays[key] = nil } else { register(key) }
    }

    private func isUnwanted(_ key: StreamKey) -> Bool { relays[key]?.loops == 0 && waiting[key] == nil }

    private func register(_ key: StreamKey) {
        guard let relay = relays[key] else { return }
        ways.register(key, relay)
    }

    /// The node ends: who waits for a stream hears that it cannot be had.
    package func close() {
        for key in Array(waiting.keys) { settleWaiting(key, false) }
    }

    private func settleWaiting(_ key: StreamKey, _ isReady: Bool) {
        for completion in waiting.removeValue(forKey: key) ?? [] { completion(isReady) }
    }

    // MARK: Confirming

    /// Calls `completion` on this loop when every subscribed loop of this node has applied all that was published before (I7).
    package func confirm(_ key: StreamKey, completion: @escaping @Sendable () -> Void) {
        flush()
        let loops = relays[key]?.loops ?? 0
        let remaining = LoopConfined(loops.nonzeroBitCount)
        guard loops != 0 else { return completion() }
        for loop in 0..<loopCount where loops & (1 << UInt64(loop)) != 0 {
            ways.whenWritten(loop) {
                remaining.value -= 1
                if remaining.value == 0 { completion() }
            }
        }
    }

    /// Sends what has gathered for other nodes, so that something may be sent after it.
    package func flushPeers() {
        peerFlushIsDue = false
        var batches = emptyPeerBatches
        emptyPeerBatches = [:]
        swap(&batches, &peerBatches)
        for (peer, events) in batches {
            framesSent += 1
            // What cannot be sent leaves a gap, which the node notices by the next event or head.
            if !ways.send(peer, events) { for entry in events { moved.insert(entry.key) } }
        }
        batches.removeAll(keepingCapacity: true)
        emptyPeerBatches = batches
    }

    /// Whether the relay stands at or beyond a position, or has nobody to apply it.
    package func hasApplied(_ key: StreamKey, _ position: StreamPosition) -> Bool {
        guard let relay = relays[key] else { return true }
        guard relay.standing != .registering, let applied = relay.position else { return false }
        return applied >= position
    }

    // MARK: Upkeep

    /// Forgets relays that nobody has listened to for a minute, and the nodes that have gone.
    /// - Parameter mayDeliver: whether a node may still show what it was sent. One that may not registers again, if it lives.
    package func sweep(at now: UInt64, mayDeliver: (_ peer: NodeID) -> Bool) {
        let gone = audience.filter { !mayDeliver($0) }
        audience.subtract(gone)
        var idle: [StreamKey] = []
        for index in relays.values.indices {
            for peer in gone { relays.values[index].detach(peer, registration: nil, at: now) }
            guard let since = relays.values[index].idleSince, now >= since + Self.idleMilliseconds else { continue }
            idle.append(relays.keys[index])
        }
        for key in idle { leave(key) }
    }

    /// Nobody listens: the relay is forgotten, and whoever sends it the stream is told.
    private func leave(_ key: StreamKey) {
        guard let relay = relays.removeValue(forKey: key), case .following(let owner) = relay.standing else { return }
        ways.unregister(owner, key, relay.registration)
    }

    /// Gives back half of what is held for sessions that move; one that needs it has to begin anew.
    package func shed() {
        for index in relays.values.indices { relays.values[index].shed() }
    }

    // MARK: Passing on

    private func receive(_ event: StreamEvent, of key: StreamKey) {
        guard let index = relays.index(forKey: key) else { return }
        pass(event, of: key, relays.values[index].takeIn(event))
    }

    private func pass(_ event: StreamEvent, of key: StreamKey, _ taken: Relay.Taken) {
        switch taken.reception {
        case .nothing: break
        case .gap: catchUp(key)
        case .deliver:
            enqueue(event, of: key, toLoops: taken.loops)
            guard !taken.peers.isEmpty else { return }
            moved.insert(key)
            for peer in taken.peers.keys { peerBatches[peer, default: []].append((key, event)) }
            schedulePeerFlush()
        }
    }

    private func enqueue(_ event: StreamEvent, of key: StreamKey, toLoops loops: UInt64) {
        for loop in 0..<loopCount where loops & (1 << UInt64(loop)) != 0 {
            loopBatches[loop].append((key, event))
        }
        if loops != 0, !flushIsDue {
            flushIsDue = true
            ways.atEndOfTurn { [unowned self] in self.flush() }
        }
    }

    private func schedulePeerFlush() {
        guard !peerFlushIsDue else { return }
        peerFlushIsDue = true
        ways.atEndOfTurn { [unowned self] in self.flushPeers() }
    }

    private func breakOff(_ key: StreamKey) {
        flush()
        guard let relay = relays[key] else { return }
        for loop in 0..<loopCount where relay.loops & (1 << UInt64(loop)) != 0 { ways.breakOff(loop, key) }
    }

    private func succeed(_ key: StreamKey, _ succession: Relay.Succession) {
        flush()
        guard let relay = relays[key] else { return }
        for loop in 0..<loopCount where relay.loops & (1 << UInt64(loop)) != 0 {
            ways.succeed(loop, key, succession)
        }
    }

    private func flush() {
        flushIsDue = false
        for loop in 0..<loopCount {
            let events = exchange(&loopBatches[loop], with: [])
            guard !events.isEmpty else { continue }
            batchesHandedOver += 1
            ways.handOver(loop, events)
        }
    }
}

extension Relay {
    /// What came of an event, with its listeners: to ask for them afterwards would copy the relay.
    fileprivate typealias Taken = (reception: Reception, loops: UInt64, peers: [NodeID: UInt64])

    /// Takes in an event, from another node where one is named.
    fileprivate mutating func takeIn(_ event: StreamEvent, from peer: NodeID? = nil) -> Taken {
        if let peer, !acceptsEvents(from: peer) { return (.nothing, loops, peers) }
        return (receive(event), loops, peers)
    }
}
