import FluxSecurity
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Performs what `LinkTable` decides: dials, welcomes, closes, reports.
///
/// The table lives on one loop, the home; what happens on connections' loops comes there as events. Connections begin and end
/// seldom, so that this costs nothing, and makes the order of reports plain: the loss of a link is heard after all that came over
/// it, and before anything that comes over the next.
final class LinkCore: Sendable {
    /// What belongs to the home loop.
    private struct Home {
        /// What a connection on its way into a link has agreed on, and its queue.
        struct Candidate {
            let identity: NodeIdentity
            let version: WireVersion
            let features: LinkFeatures
            let outbox: LinkOutbox
        }

        var table: LinkTable
        /// Connections that have not ended, once they were dialled or proved who they are.
        var connections: [ConnectionID: LinkConnection] = [:]
        /// Links by their control connection, until their loss is reported.
        var links: [ConnectionID: PendingLink] = [:]
        /// The control connections of bulk connections that we dial.
        var bulks: [ConnectionID: ConnectionID] = [:]
        /// The links that watchers were told of.
        var announced: Set<ConnectionID> = []
        /// Connections on their way into a link.
        var candidates: [ConnectionID: Candidate] = [:]
    }

    let configuration: LinkConfiguration
    let expectation: LinkHandshake.Expectation
    let receiver: any FrameReceiver
    let metrics = LinkMetrics()
    let registry: LinkRegistry
    let halfOpen: HalfOpenConnections
    let channels = OpenChannels()
    /// Connections that are being made.
    private let dials = NIOLockedValueBox<[ConnectionID: EventLoopFuture<Void>]>([:])
    private let group: any EventLoopGroup
    private let homeLoop: any EventLoop
    private let home: NIOLoopBoundBox<Home>
    private let members = NIOLockedValueBox<Set<CertificateFingerprint>>([])
    /// The certificates of connections that have one, until they end.
    private let fingerprints = NIOLockedValueBox<[ConnectionID: CertificateFingerprint]>([:])
    private let lastAccepted = NIOLockedValueBox<UInt64>(0)

    init(
        _ configuration: LinkConfiguration, identity: NodeIdentity, receiver: any FrameReceiver,
        registry: LinkRegistry, group: any EventLoopGroup
    ) {
        self.configuration = configuration
        self.registry = registry
        self.receiver = receiver
        self.group = group
        expectation = LinkHandshake.Expectation(
            identity: identity, versions: configuration.dialect.versions, cluster: configuration.cluster,
            features: configuration.features)
        halfOpen = HalfOpenConnections(bound: configuration.limits.halfOpen)
        homeLoop = group.next()
        home = NIOLoopBoundBox.makeBoxSendingValue(
            Home(
                table: LinkTable(own: identity, backoff: configuration.limits.backoff, random: configuration.random)),
            eventLoop: homeLoop)
    }

    /// Who decides on nodes that want to join; nil as long as this node takes none.
    var joinDesk: JoinDesk? { configuration.joinDesk }

    // MARK: Whom we know

    /// Only these certificates are let in; links with others end.
    func accept(only fingerprints: Set<CertificateFingerprint>) {
        members.withLockedValue { $0 = fingerprints }
        homeLoop.execute {
            for (id, connection) in self.home.value.connections where !self.isMember(connection) {
                self.perform { $0.revoke(id) }
            }
        }
    }

    /// What TLS says of a peer.
    func proof(of handshake: TLSHandshake) -> LinkHandshake.PeerProof {
        guard let fingerprint = handshake.peerFingerprint.flatMap(CertificateFingerprint.init(bytes:)) else {
            return .missing
        }
        return .certificate(
            fingerprint, isMember: members.withLockedValue { $0.contains(fingerprint) },
            names: NodeCertificate(hostNames: handshake.peerHostNames))
    }

    /// Looked up again where the connection enters the table: the members may have changed since its handshake.
    private func isMember(_ connection: LinkConnection) -> Bool {
        guard let fingerprint = fingerprints.withLockedValue({ $0[connection.id] }) else { return true }
        return members.withLockedValue { $0.contains(fingerprint) }
    }

    /// These nodes are to be linked to.
    func want(_ addresses: [NodeID: PeerAddress]) {
        homeLoop.execute { self.perform { $0.want(addresses) } }
    }

    /// Ends everything; nothing begins any more.
    func stop() async {
        try? await homeLoop.submit { self.perform { $0.stop() } }.get()
    }

    /// After `stop`: returns when these connections have closed, what was being dialled has come to nothing, and the loops have
    /// done what they have asked of each other about it. The end of a connection is told to the home loop, which may close
    /// another, whose end is told as well.
    func settle(_ channels: [any Channel]) async {
        for channel in channels { try? await channel.closeFuture.get() }
        for dial in dials.withLockedValue({ Array($0.values) }) { try? await dial.get() }
        for _ in 0..<2 {
            try? await homeLoop.submit {}.get()
            for loop in group.makeIterator() { try? await loop.submit {}.get() }
        }
        try? await homeLoop.submit {}.get()
    }

    // MARK: From connections, on any loop

    /// A name for an accepted connection. Those have the highest bit set, so that they never meet those of the table.
    func nextConnection() -> ConnectionID {
        lastAccepted.withLockedValue { last in
            last += 1
            return ConnectionID(rawValue: last | 1 << 63)
        }
    }

    /// - Parameter features: those that both ends have.
    func greeted(
        _ connection: LinkConnection, _ hello: LinkHello, _ version: WireVersion, _ features: LinkFeatures,
        _ outbox: LinkOutbox
    ) {
        remember(connection)
        homeLoop.execute {
            let id = connection.id
            self.home.value.connections[id] = connection
            self.home.value.candidates[id] = Home.Candidate(
                identity: hello.identity, version: version, features: features, outbox: outbox)
            guard self.isMember(connection) else { return connection.close(.certificateRefused) }
            self.perform { $0.greeted(id, by: hello.identity, lane: hello.lane, link: hello.link) }
        }
    }

    /// - Parameter features: those that both ends have.
    func welcomed(
        _ connection: LinkConnection, _ welcome: LinkWelcome, _ features: LinkFeatures, _ outbox: LinkOutbox
    ) {
        remember(connection)
        homeLoop.execute {
            let id = connection.id
            // It may have ended on its way here.
            guard self.home.value.connections[id] != nil else { return }
            guard self.isMember(connection) else { return connection.close(.certificateRefused) }
            if let control = self.home.value.bulks[id] {
                self.home.value.links[control]?.add(bulk: outbox)
            } else {
                self.home.value.candidates[id] = Home.Candidate(
                    identity: welcome.identity, version: welcome.version, features: features, outbox: outbox)
            }
            self.perform { $0.welcomed(id, by: welcome.identity, link: welcome.link) }
        }
    }

    func ready(_ connection: LinkConnection) {
        homeLoop.execute { self.perform { $0.ready(connection.id) } }
    }

    /// - Parameter reason: why this end closed it, which the other connection of the link is told too: the peer may hear of
    ///   either first.
    func ended(_ connection: ConnectionID, because reason: LinkRefusal?) {
        homeLoop.execute {
            self.fingerprints.withLockedValue { $0[connection] = nil }
            self.home.value.candidates[connection] = nil
            self.home.value.bulks[connection] = nil
            guard self.home.value.connections.removeValue(forKey: connection) != nil else { return }
            self.perform { $0.ended(connection, because: reason) }
        }
    }

    /// - Parameter versions: what the peer speaks, where that is why.
    func refused(
        _ connection: LinkConnection, _ refusal: LinkRefusal, versions: (of: NodeID, range: WireVersionRange)? = nil
    ) {
        metrics.refused(refusal)
        let node = connection.node ?? versions?.of
        let reason =
            versions.map { LinkEvent.noCommonVersion(own: expectation.versions, peer: $0.of, $0.range) }
            ?? refusal.description
        configuration.logger.log(
            level: versions == nil ? .info : .error, "closed a connection between nodes",
            metadata: ["peer": "\(node.map(\.description) ?? "unknown")", "reason": "\(reason)"])
        tell(.refusedPeer(node, refusal))
    }

    func refusedByPeer(_ connection: LinkConnection, _ refusal: LinkRefusal) {
        guard let node = connection.node else { return }
        let reason = LinkEvent.describe(refusal, own: expectation.versions, peer: node)
        let level: Logger.Level = if case .version = refusal { .error } else { .info }
        configuration.logger.log(
            level: level, "a node closed the connection", metadata: ["peer": "\(node)", "reason": "\(reason)"])
        tell(.refusedByPeer(node, refusal))
    }

    func unreachable(_ connection: LinkConnection, _ error: any Error) {
        guard connection.isDialled, let node = connection.node else { return refusedUnknown(error) }
        configuration.logger.debug(
            "a connection to a node failed", metadata: ["peer": "\(node)", "reason": "\(error)"])
        if (error as? NIOConnectionError)?.wasRefused == true { tell(.notListening(node)) }
        tell(.unreachable(node, "\(error)"))
    }

    /// Somebody of whom nothing is known was refused; at a low level, as anybody can make it happen.
    func refusedUnknown(_ error: any Error) {
        let refusal = error as? LinkRefusal ?? (error is TLSError ? .insecure : .notFlux)
        metrics.refused(refusal)
        configuration.logger.debug("refused a connection", metadata: ["reason": "\(error)"])
        tell(.refusedPeer(nil, refusal))
    }

    private func remember(_ connection: LinkConnection) {
        guard let fingerprint = connection.fingerprint else { return }
        fingerprints.withLockedValue { $0[connection.id] = fingerprint }
    }

    private func tell(_ event: LinkEvent) {
        configuration.onEvent?(event)
    }
}

// MARK: - On the home loop

extension LinkCore {
    private func perform(_ change: (inout LinkTable) -> [LinkTable.Action]) {
        homeLoop.assertInEventLoop()
        let actions = change(&home.value.table)
        for action in actions { perform(action) }
    }

    private func perform(_ action: LinkTable.Action) {
        switch action {
        case .dialControl(let id, let node, let address):
            dial(id, .dialler(target: node, lane: .control, link: nil), address)
        case .dialBulk(let id, let node, let address, let link, let control):
            home.value.bulks[id] = control
            begin(control)
            dial(id, .dialler(target: node, lane: .bulk, link: link), address)
        case .wait(let node, let ticket, let time):
            homeLoop.scheduleTask(in: time) { self.perform { $0.dialDue(node, ticket: ticket) } }
        case .welcome(let id, let control):
            welcome(id, control)
        case .start(let control, let bulk):
            home.value.connections[control]?.start()
            home.value.connections[bulk]?.start()
        case .close(let id, let refusal):
            home.value.connections[id]?.close(refusal)
        case .abandon(let control):
            if let link = home.value.links[control] { registry.close(link) }
        case .reportUp(_, let control):
            announce(control)
        case .reportLoss(let node, let control):
            reportLoss(of: control, node)
        }
    }

    private func welcome(_ id: ConnectionID, _ control: ConnectionID) {
        guard let connection = home.value.connections[id] else { return }
        if id == control {
            begin(control)
        } else if let candidate = home.value.candidates.removeValue(forKey: id) {
            home.value.links[control]?.add(bulk: candidate.outbox)
        }
        guard let link = home.value.links[control] else { return }
        connection.welcome(to: link, name: control.rawValue)
    }

    /// A link begins with its control connection.
    private func begin(_ control: ConnectionID) {
        guard let candidate = home.value.candidates.removeValue(forKey: control) else { return }
        home.value.links[control] = PendingLink(
            identity: candidate.identity, version: candidate.version, features: candidate.features,
            control: candidate.outbox)
    }

    private func announce(_ control: ConnectionID) {
        guard let link = home.value.links[control], registry.open(link),
            home.value.announced.insert(control).inserted
        else { return }
        metrics.links.record(home.value.announced.count)
        configuration.logger.info(
            "linked to a node",
            metadata: [
                "peer": "\(link.identity.name)", "node": "\(link.identity.id)", "version": "\(link.version.rawValue)",
            ])
        receiver.linkMade(to: link.identity.id)
        tell(.up(link.identity, link.version))
    }

    private func reportLoss(of control: ConnectionID, _ node: NodeID) {
        if let link = home.value.links.removeValue(forKey: control), registry.wasOpen(link) {
            if home.value.announced.remove(control) == nil { tell(.up(link.identity, link.version)) }
            metrics.losses.increment()
            metrics.links.record(home.value.announced.count)
            configuration.logger.info(
                "lost the link to a node", metadata: ["peer": "\(link.identity.name)", "node": "\(node)"])
            receiver.linkLost(to: node)
            tell(.lost(link.identity))
        }
        // What the report made this loop's turn hand to other loops leaves before anything new begins.
        homeLoop.execute { self.perform { $0.lossReported(node) } }
    }

    private func dial(_ id: ConnectionID, _ role: LinkHandshake.Role, _ address: PeerAddress) {
        metrics.dials.increment()
        let loop = group.next()
        let limits = configuration.limits
        let isPlain = configuration.security.isPlain
        let connection = LinkConnection(
            id: id, role: role, core: self, eventLoop: loop, proof: isPlain ? .plaintext : nil,
            deadline: .now() + limits.handshakeTime)
        home.value.connections[id] = connection
        guard !isPlain || address.isLoopback else { return connection.dialFailed(LinkSetupError.notLoopback) }
        let dial = ClientBootstrap(group: loop)
            .connectTimeout(limits.connectTime)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: Self.waterMark)
            .channelOption(.recvAllocator, value: Self.allocator)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard self.channels.admit(channel) else { throw ChannelError.ioOnClosedChannel }
                    if case .certificates(let credentials) = self.configuration.security {
                        try channel.pipeline.syncOperations.addHandler(try credentials.client.makeHandler())
                    }
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
            .connect(host: address.host, port: Int(address.port))
            .map { _ in }
        dials.withLockedValue { $0[id] = dial }
        dial.whenComplete { result in
            if case .failure(let error) = result { connection.dialFailed(error) }
            // After the last word of it: `settle` waits for what is among them.
            _ = self.dials.withLockedValue { $0.removeValue(forKey: id) }
        }
    }

    /// Sets up an accepted connection.
    func accept(_ channel: any Channel) throws {
        let isPlain = configuration.security.isPlain
        guard channels.admit(channel), !isPlain || channel.remoteAddress?.isLoopback == true else {
            throw ChannelError.ioOnClosedChannel
        }
        halfOpen.admit(channel)?.close(promise: nil)
        channel.closeFuture.whenComplete { _ in self.halfOpen.release(channel) }
        if case .certificates(let credentials) = configuration.security {
            try channel.pipeline.syncOperations.addHandler(try credentials.server.makeHandler())
        }
        try channel.pipeline.syncOperations.addHandler(PortHandler(core: self, proof: isPlain ? .plaintext : nil))
    }

    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 128 * 1024, high: 512 * 1024)
    static let allocator = AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16 * 1024, maximum: 256 * 1024)
}

extension NIOConnectionError {
    /// Whether every address of the host answered that nothing listens there.
    fileprivate var wasRefused: Bool {
        !connectionErrors.isEmpty
            && connectionErrors.allSatisfy { ($0.error as? IOError)?.errnoCode == ECONNREFUSED }
    }
}
