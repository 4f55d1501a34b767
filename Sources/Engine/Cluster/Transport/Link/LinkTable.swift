import NIOCore

/// Names one connection of this node while the process lives.
struct ConnectionID: Hashable, Sendable {
    let rawValue: UInt64
}

/// The links of one node to the others, without I/O: who is dialled when, which connection becomes part of which link, and what
/// is told to whom when one ends.
///
/// Guarantees:
/// - At most one link per peer. It is up while both its connections are, and the loss of one ends it.
/// - When two nodes dial each other at once, the dial of the lower id stays. The other one waits until that dial has come to an
///   end, well or not, so that no order of events leaves the pair without a link.
/// - A peer that dials anew, or a later incarnation of it, replaces the link; an earlier incarnation is refused.
/// - A new link to a peer begins only after the loss of the old one has been reported (`lossReported`), and the loss is reported
///   only after both connections have stopped delivering (`ended`).
/// - Memory: one entry per wanted peer and per authenticated one, of 1,024 at most.
struct LinkTable {
    /// What to do, in the order of the array.
    enum Action: Equatable {
        /// Connect, and begin a link.
        case dialControl(ConnectionID, NodeID, PeerAddress)
        /// Connect, and add the second connection to the link that `control` began here and that the peer calls `link`.
        case dialBulk(ConnectionID, NodeID, PeerAddress, link: UInt64, control: ConnectionID)
        /// Call `dialDue` with the ticket after this time.
        case wait(NodeID, ticket: UInt64, TimeAmount)
        /// The acceptor welcomes a connection to the link that this control connection began.
        case welcome(ConnectionID, control: ConnectionID)
        /// Both connections of our dial are welcome: they may start.
        case start(control: ConnectionID, bulk: ConnectionID)
        /// Tell the peer why, and close. `ended` follows.
        case close(ConnectionID, LinkRefusal)
        /// Nothing is sent over the link of this control connection any more.
        case abandon(control: ConnectionID)
        /// The link is up.
        case reportUp(NodeID, control: ConnectionID)
        /// The link of this control connection is over; call `lossReported` when everybody knows who must.
        case reportLoss(NodeID, control: ConnectionID)
    }

    private enum Dial: Equatable {
        case idle
        case waiting(ticket: UInt64)
        case dialling(ConnectionID)
    }

    private enum Phase: Equatable {
        /// The control connection is welcome.
        case opening
        case up
        /// Waits until these have stopped delivering.
        case closing(Set<ConnectionID>)
        /// Waits for `lossReported`.
        case reporting
    }

    private struct Link {
        let identity: NodeIdentity
        let isDialledByUs: Bool
        let control: ConnectionID
        var bulk: ConnectionID?
        var phase = Phase.opening
        /// Whether it was up.
        var wasUp = false
    }

    private struct Peer {
        var address: PeerAddress?
        var dial = Dial.idle
        var failures = 0
        var link: Link?
        /// An authenticated connection of the peer that waits for our own dial, or for the end of the old link.
        var parked: (connection: ConnectionID, identity: NodeIdentity)?

        var isEmpty: Bool { address == nil && dial == .idle && link == nil && parked == nil }
    }

    private let own: NodeIdentity
    private let backoff: LinkBackoff
    private var random: any RandomNumberGenerator & Sendable
    private var peers: [NodeID: Peer] = [:]
    /// Which peer a connection belongs to.
    private var owners: [ConnectionID: NodeID] = [:]
    private var lastConnection: UInt64 = 0
    private var lastTicket: UInt64 = 0
    private var isStopped = false

    /// A table without peers.
    init(own: NodeIdentity, backoff: LinkBackoff, random: any RandomNumberGenerator & Sendable) {
        self.own = own
        self.backoff = backoff
        self.random = random
    }

    /// How many peers are known, for tests.
    var peerCount: Int { peers.count }

    /// How many connections are known, for tests.
    var connectionCount: Int { owners.count }

    /// A name for a connection that is dialled. Accepted ones get theirs elsewhere, from another range.
    private mutating func nextConnection() -> ConnectionID {
        lastConnection += 1
        return ConnectionID(rawValue: lastConnection)
    }

    // MARK: Who is wanted

    /// These are the nodes to be linked to. Links to nodes that were wanted and are no longer end.
    mutating func want(_ addresses: [NodeID: PeerAddress]) -> [Action] {
        guard !isStopped else { return [] }
        var actions: [Action] = []
        for (node, peer) in peers.sorted(by: { $0.key < $1.key }) where peer.address != nil && addresses[node] == nil {
            change(node) { $0.address = nil }
            actions += drop(node, .stopping)
        }
        for (node, address) in addresses.sorted(by: { $0.key < $1.key }) where node != own.id {
            actions += want(node, at: address)
        }
        return actions
    }

    private mutating func want(_ node: NodeID, at address: PeerAddress) -> [Action] {
        let peer = peers[node] ?? Peer()
        guard peer.address != address else { return [] }
        change(node) { peer in
            peer.address = address
            peer.failures = 0
        }
        guard peer.link == nil, peer.parked == nil else { return [] }
        if case .dialling = peer.dial { return [] }
        return dial(node)
    }

    /// Everything ends; nothing begins any more.
    mutating func stop() -> [Action] {
        isStopped = true
        return peers.keys.sorted().flatMap { drop($0, .stopping) }
    }

    /// The connection must not be any more, nor the link that it is part of.
    mutating func revoke(_ connection: ConnectionID) -> [Action] {
        guard let node = owners[connection], let peer = peers[node] else { return [] }
        if peer.parked?.connection == connection { return [.close(connection, .certificateRefused)] }
        guard let link = peer.link, link.control == connection || link.bulk == connection else {
            return [.close(connection, .certificateRefused)]
        }
        return close(node, .certificateRefused)
    }

    // MARK: Dialling

    /// The wait is over.
    mutating func dialDue(_ node: NodeID, ticket: UInt64) -> [Action] {
        guard let peer = peers[node], peer.dial == .waiting(ticket: ticket) else { return [] }
        return dial(node)
    }

    private mutating func dial(_ node: NodeID) -> [Action] {
        guard !isStopped, let address = peers[node]?.address else { return [] }
        let connection = nextConnection()
        owners[connection] = node
        change(node) { $0.dial = .dialling(connection) }
        return [.dialControl(connection, node, address)]
    }

    private mutating func dialLater(_ node: NodeID) -> [Action] {
        guard !isStopped, let peer = peers[node], peer.address != nil, peer.link == nil, peer.parked == nil,
            peer.dial == .idle
        else {
            forgetIfEmpty(node)
            return []
        }
        lastTicket += 1
        let ticket = lastTicket
        change(node) { $0.dial = .waiting(ticket: ticket) }
        let delay = backoff.delay(failures: peer.failures, random: Double.random(in: 0...1, using: &random))
        return [.wait(node, ticket: ticket, delay)]
    }

    /// The peer welcomed a connection that we dialled; `link` is its name for the link.
    mutating func welcomed(_ connection: ConnectionID, by identity: NodeIdentity, link name: UInt64) -> [Action] {
        guard let node = owners[connection], let peer = peers[node], node == identity.id else {
            return [.close(connection, .wrongNode)]
        }
        if peer.dial == .dialling(connection) { return welcomed(control: connection, of: node, identity, link: name) }
        guard let link = peer.link, link.bulk == connection, link.phase == .opening else {
            return [.close(connection, .noSuchLink)]
        }
        guard link.identity == identity else { return close(node, .replaced) }
        change(node) { peer in
            peer.link?.phase = .up
            peer.link?.wasUp = true
            peer.failures = 0
        }
        return [.reportUp(node, control: link.control), .start(control: link.control, bulk: connection)]
    }

    private mutating func welcomed(
        control: ConnectionID, of node: NodeID, _ identity: NodeIdentity, link name: UInt64
    ) -> [Action] {
        guard let address = peers[node]?.address, !isStopped else { return [.close(control, .stopping)] }
        let bulk = nextConnection()
        owners[bulk] = node
        var actions: [Action] = []
        change(node) { peer in
            peer.dial = .idle
            peer.link = Link(identity: identity, isDialledByUs: true, control: control, bulk: bulk)
            if let parked = peer.parked { actions.append(.close(parked.connection, .duplicate)) }
        }
        actions.append(.dialBulk(bulk, node, address, link: name, control: control))
        return actions
    }

    // MARK: Accepting

    /// A peer that proved who it is asks for a connection.
    mutating func greeted(
        _ connection: ConnectionID, by identity: NodeIdentity, lane: TransportLane, link name: UInt64?
    ) -> [Action] {
        guard !isStopped else { return [.close(connection, .stopping)] }
        owners[connection] = identity.id
        switch lane {
        case .control: return greeted(control: connection, by: identity)
        case .bulk: return greeted(bulk: connection, by: identity, link: name)
        }
    }

    private mutating func greeted(control connection: ConnectionID, by identity: NodeIdentity) -> [Action] {
        let node = identity.id
        let peer = peers[node] ?? Peer()
        guard let link = peer.link else {
            guard case .dialling(let own) = peer.dial else { return welcome(connection, identity) }
            // Both dial: the lower id's connection stays.
            guard node < self.own.id else { return park(connection, identity) }
            change(node) { $0.dial = .idle }
            return [.close(own, .duplicate)] + welcome(connection, identity)
        }
        switch link.phase {
        case .closing, .reporting:
            return park(connection, identity)
        case .opening, .up:
            if identity.incarnation < link.identity.incarnation {
                return [.close(connection, .staleIncarnation)]
            }
            // Who dials again has given up the connection that it dialled; ours it may not have known when it dialled.
            if identity.incarnation == link.identity.incarnation, link.isDialledByUs {
                return [.close(connection, .duplicate)]
            }
            return park(connection, identity) + close(node, .replaced)
        }
    }

    private mutating func greeted(
        bulk connection: ConnectionID, by identity: NodeIdentity, link name: UInt64?
    ) -> [Action] {
        guard let link = peers[identity.id]?.link, link.phase == .opening, !link.isDialledByUs, link.bulk == nil,
            link.identity == identity, link.control.rawValue == name
        else { return [.close(connection, .noSuchLink)] }
        change(identity.id) { $0.link?.bulk = connection }
        return [.welcome(connection, control: link.control)]
    }

    private mutating func park(_ connection: ConnectionID, _ identity: NodeIdentity) -> [Action] {
        let earlier = peers[identity.id]?.parked
        change(identity.id) { $0.parked = (connection, identity) }
        return earlier.map { [.close($0.connection, .duplicate)] } ?? []
    }

    private mutating func welcome(_ connection: ConnectionID, _ identity: NodeIdentity) -> [Action] {
        change(identity.id) { peer in
            peer.dial = .idle
            peer.link = Link(identity: identity, isDialledByUs: false, control: connection)
        }
        return [.welcome(connection, control: connection)]
    }

    private mutating func welcomeParked(_ node: NodeID) -> [Action] {
        guard let parked = peers[node]?.parked else { return [] }
        change(node) { $0.parked = nil }
        return welcome(parked.connection, parked.identity)
    }

    /// The dialler is ready: the link is up. Comes once from each of its connections.
    mutating func ready(_ connection: ConnectionID) -> [Action] {
        guard let node = owners[connection], let link = peers[node]?.link, link.phase == .opening,
            link.bulk != nil, link.control == connection || link.bulk == connection
        else { return [] }
        change(node) { peer in
            peer.link?.phase = .up
            peer.link?.wasUp = true
            peer.failures = 0
        }
        return [.reportUp(node, control: link.control)]
    }

    // MARK: Ending

    /// A connection delivers nothing any more, for whatever reason. Comes once for each that was dialled or greeted.
    mutating func ended(_ connection: ConnectionID, because reason: LinkRefusal? = nil) -> [Action] {
        guard let node = owners.removeValue(forKey: connection), let peer = peers[node] else { return [] }
        if peer.parked?.connection == connection {
            change(node) { $0.parked = nil }
            return dialLater(node)
        }
        if peer.dial == .dialling(connection) {
            change(node) { peer in
                peer.dial = .idle
                peer.failures += 1
            }
            return peer.parked == nil ? dialLater(node) : welcomeParked(node)
        }
        guard let link = peer.link, link.control == connection || link.bulk == connection else {
            forgetIfEmpty(node)
            return []
        }
        switch link.phase {
        case .opening, .up:
            return close(node, reason ?? .otherLaneEnded)
        case .closing(var rest):
            rest.remove(connection)
            return closing(node, rest)
        case .reporting:
            return []
        }
    }

    /// Everybody knows of the loss: a new link may begin.
    mutating func lossReported(_ node: NodeID) -> [Action] {
        guard let link = peers[node]?.link, link.phase == .reporting else { return [] }
        change(node) { peer in
            peer.link = nil
            if !link.wasUp { peer.failures += 1 }
        }
        if isStopped, let parked = peers[node]?.parked { return [.close(parked.connection, .stopping)] }
        return peers[node]?.parked == nil ? dialLater(node) : welcomeParked(node)
    }

    /// Ends all that there is with a peer.
    private mutating func drop(_ node: NodeID, _ reason: LinkRefusal) -> [Action] {
        guard let peer = peers[node] else { return [] }
        var actions: [Action] = []
        if let parked = peer.parked { actions.append(.close(parked.connection, reason)) }
        switch peer.dial {
        case .dialling(let connection): actions.append(.close(connection, reason))
        case .waiting: change(node) { $0.dial = .idle }
        case .idle: break
        }
        actions += close(node, reason)
        forgetIfEmpty(node)
        return actions
    }

    /// Ends the link; those of its connections that have not ended are told why.
    private mutating func close(_ node: NodeID, _ reason: LinkRefusal) -> [Action] {
        guard let link = peers[node]?.link, link.phase == .opening || link.phase == .up else { return [] }
        let open = [link.control, link.bulk].compactMap { $0 }.filter { owners[$0] != nil }
        return [.abandon(control: link.control)] + open.map { .close($0, reason) } + closing(node, Set(open))
    }

    private mutating func closing(_ node: NodeID, _ rest: Set<ConnectionID>) -> [Action] {
        guard let control = peers[node]?.link?.control else { return [] }
        change(node) { $0.link?.phase = rest.isEmpty ? .reporting : .closing(rest) }
        return rest.isEmpty ? [.reportLoss(node, control: control)] : []
    }

    private mutating func change(_ node: NodeID, _ change: (inout Peer) -> Void) {
        change(&peers[node, default: Peer()])
    }

    private mutating func forgetIfEmpty(_ node: NodeID) {
        if peers[node]?.isEmpty == true { peers[node] = nil }
    }
}
