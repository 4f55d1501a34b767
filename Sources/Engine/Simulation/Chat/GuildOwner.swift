import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore

/// A guild and its channels at their owner: what `GuildActor` and `ChannelActor` do around `StreamPublisher`,
/// `StreamSuccession` and `ChannelState`.
final class GuildOwner: ChannelHome {
    let guild: ChatGuild
    let node: ChatNode
    let epoch: Epoch
    @exclusivity(unchecked) var publisher: StreamPublisher
    let succession: StreamSuccession
    /// Who may do what, and where each channel stands.
    @exclusivity(unchecked) var state: GuildState
    /// Counts the changes of the guild that were committed.
    @exclusivity(unchecked) var version: UInt64
    /// Whose sessions listen.
    @exclusivity(unchecked) var watchers = GuildWatchers()
    let turns = Turns()
    /// Whether a change of the guild itself has no fate yet.
    @exclusivity(unchecked) var isCommitting = false
    @exclusivity(unchecked) private(set) var isActive = true
    @exclusivity(unchecked) private var channels = ChannelMap<ChannelOwner>()
    private var waiting: [ChannelID: [(ChannelOwner?) -> Void]] = [:]

    init(_ guild: ChatGuild, node: ChatNode, epoch: Epoch, _ stored: StoredGuild) {
        self.guild = guild
        self.node = node
        self.epoch = epoch
        state = GuildState(stored.guild, invites: stored.invites, bans: [])
        version = stored.guild.version
        publisher = StreamPublisher(key: guild.key, epoch: epoch, at: node.now)
        succession = StreamSuccession(
            epoch: epoch, start: publisher.position, inherited: RelayView(heads: state.heads, version: version))
        node.relays.streamBegan(guild.key, at: publisher.position, now: node.now)
    }

    var world: ChatWorld { node.world }
    var guildID: GuildID? { guild.id }
    var slot: Slot { guild.slot }
    var position: StreamPosition { publisher.position }
    var view: RelayView { RelayView(heads: state.heads, version: version) }
    var hasUnsettled: Bool { isCommitting || channels.values.contains(where: \.hasUnsettled) }

    /// The slot is lost or given away.
    func deactivate() {
        guard isActive else { return }
        isActive = false
        for channel in guild.channels { channels[channel]?.deactivate() }
        for waiters in guild.channels.compactMap({ waiting.removeValue(forKey: $0) }).joined() { waiters(nil) }
        node.relays.ownerLeft(guild.key, view, at: node.now)
        forget()
    }

    /// Lets go of the channels, and of those who wait for one, which refer to it.
    func forget() {
        channels = ChannelMap()
        waiting = [:]
    }

    func publish(
        _ kind: EventKind, body: [UInt8], _ head: ChannelHead, _ message: MessageID, lastMessageID: MessageID?
    ) {
        state.advance(head.channelID, lastMessageID: lastMessageID, lastSequence: head.sequence, epoch: head.epoch)
        let event = publisher.next(
            kind, body: body, audience: .viewers(of: head.channelID), mark: .log(head, kind, messageID: message))
        node.relays.publish(event, of: guild.key)
    }

    // MARK: Channels

    /// The channel, brought into memory first where it is not.
    func channel(_ id: ChannelID, _ body: @escaping (ChannelOwner?) -> Void) {
        if let channel = channels[id] { return body(channel) }
        guard isActive else { return body(nil) }
        waiting[id, default: []].append(body)
        guard waiting[id]?.count == 1 else { return }
        world.read(for: node) {
            $0.activation(of: id)
        } _: { [self] stored in
            guard isActive else { return }
            node.reserveIdentifiers(above: stored?.lastMessageID) { [self] isReserved in
                guard isActive else { return }
                // As in production: behind a later owner nothing is shown.
                let isLost = stored.map { $0.epoch > succession.epoch } ?? false
                let channel = isReserved && !isLost ? stored.map { ChannelOwner(id, home: self, $0) } : nil
                channels[id] = channel
                for body in waiting.removeValue(forKey: id) ?? [] { body(channel) }
            }
        }
    }

    // MARK: Relays

    /// A node's relay wants the stream.
    func register(_ request: RelayRegistration, _ respond: @escaping (RelayWelcome?) -> Void) {
        node.leases.grant(to: request.node, at: node.now)
        // A new relay has no listeners yet that it could name.
        if request.position != nil {
            watchers.replace(request.listeners, on: request.node, at: publisher.position)
        }
        guard succession.succeeds(request.position) else {
            return respond(
                welcome(
                    request,
                    succession.continuation(after: request.position, last: publisher.position, view: view) {
                        node.relays.emitted(guild.key, after: $0)
                    }))
        }
        guard let channels = succession.channelsToCorrect(in: request.view) else {
            return respond(beginAnew(request))
        }
        correct(channels[...], [], request, respond)
    }

    private func correct(
        _ channels: ArraySlice<ChannelID>, _ corrections: [ChannelCorrection], _ request: RelayRegistration,
        _ respond: @escaping (RelayWelcome?) -> Void
    ) {
        guard let channel = channels.first else {
            guard let since = node.relays.emitted(guild.key, after: succession.start) else {
                return respond(beginAnew(request))
            }
            return respond(
                welcome(request, (.succeeds(succession.start, succession.inherited, corrections), since)))
        }
        let shown = request.view.heads[channel]
        world.read(for: node) {
            $0.events(
                of: channel, after: shown?.sequence ?? 0, epoch: shown?.epoch, limit: ChannelEvents.pageLimit)
        } _: { [self] page in
            guard var page else { return respond(beginAnew(request)) }
            if world.bug == .noRetraction { page.rolledBackTo = nil }
            guard
                let correction = succession.correction(
                    of: channel, shown: shown, page: page, bodies: page.told)
            else { return respond(beginAnew(request)) }
            correct(channels.dropFirst(), corrections + [correction], request, respond)
        }
    }

    private func beginAnew(_ request: RelayRegistration) -> RelayWelcome {
        welcome(
            request,
            succession.continuation(after: nil, last: publisher.position, view: view) { _ in nil })
    }

    private func welcome(
        _ request: RelayRegistration, _ next: (RelayWelcome.Continuation, replayed: [StreamEvent])
    ) -> RelayWelcome {
        guard watchers.knew(request.listeners, at: next.replayed) else { return beginAnew(request) }
        node.relays.attach(
            request.node, registration: request.number, to: guild.key, replaying: next.replayed)
        return RelayWelcome(owner: node.id, continuation: next.0)
    }
}

/// What a session is told of a guild when it opens.
struct GuildSnapshot {
    let position: StreamPosition
    /// The channels that the member may view.
    let visibility: ChannelVisibility
    /// Where each channel stands.
    let heads: [ChannelID: ChannelHead]
}

extension ChannelEventPage {
    /// The events that are told, with their kinds and bodies: all but voids, as `MessageRenderer.renderEach` makes them.
    var told: [(event: ChannelEvent, kind: EventKind, body: [UInt8])] {
        events.compactMap { event in
            switch event.body {
            case .created(let message): (event, .messageCreate, Ledger.body(Int(message.content) ?? 0))
            case .logged(let kind, _, let payload): (event, kind, payload)
            case .void: nil
            }
        }
    }
}

extension ChatNode {
    /// The guild's owner on this node, brought into memory first where it is not; nil when it cannot be had now.
    func owner(of guild: ChatGuild, _ body: @escaping (GuildOwner?) -> Void) {
        if let owner = owners[guild.id] { return body(owner) }
        guard let epoch = owned[guild.slot] else { return body(nil) }
        activations[guild.id, default: []].append(body)
        guard activations[guild.id]?.count == 1 else { return }
        world.read(for: self) { messages in
            (
                loaded: messages.loadGuild(guild.id),
                owing: guild.channels.filter { !messages.log(of: $0).voids.isEmpty }
            )
        } _: { [self] stored in
            var owner: GuildOwner?
            if let stored, let loaded = stored.loaded, owned[guild.slot] == epoch,
                loaded.guild.newestEpoch <= epoch
            {
                world.auditor.trace(world.now, "node \(id) owns guild \(guild.id), epoch \(epoch)")
                owner = GuildOwner(guild, node: self, epoch: epoch, loaded)
                owners[guild.id] = owner
                for channel in stored.owing { owner?.channel(channel) { _ in } }
            }
            // Whoever waited for the stream asks while the owner is made, and waits for it with the others.
            for body in activations.removeValue(forKey: guild.id) ?? [] { body(owner) }
        }
    }
}
