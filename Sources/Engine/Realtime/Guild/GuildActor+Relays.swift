import FluxCluster
import FluxCore
import FluxStore

/// How other nodes' relays, and this node's own after a change of owner, take up the guild's stream.
extension GuildActor {
    /// The most channels in which a relay is corrected one by one; with more it begins anew.
    private static let maximumCorrections = 500

    /// A node's relay wants the guild's stream.
    func register(_ request: RelayRegistration, _ respond: Responder<RelayWelcome>) {
        services.links.grant(to: request.node)
        guard home.state != nil else { return respond.refuse(APIError.unknownGuild) }
        // A new relay has no listeners yet that it could name.
        if request.position != nil { home.setWatchers(request.listeners, on: request.node) }
        guard let position = request.position, position.epoch < home.epoch, position != .none else {
            return respond(welcome(request, home.continuation(after: request.position)))
        }
        Task { respond(await self.succeed(request)) }
    }

    /// The relay comes from an earlier owner.
    private func succeed(_ request: RelayRegistration) async -> RelayWelcome {
        guard let corrections = await corrections(for: request.view),
            let since = loop.relays.emitted(home.publisher.key, after: home.start)
        else { return welcome(request, home.continuation(after: nil)) }
        return welcome(request, (.succeeds(home.start, home.inherited, corrections), since))
    }

    private func welcome(
        _ request: RelayRegistration, _ next: (RelayWelcome.Continuation, replayed: [StreamEvent])
    ) -> RelayWelcome {
        loop.relays.attach(
            request.node, registration: request.number, to: home.publisher.key, replaying: next.replayed)
        return RelayWelcome(owner: services.system.identity.id, continuation: next.0)
    }

    /// What brings a relay that has shown `view` to what was committed when this owner began; nil if that cannot be had.
    private func corrections(for view: RelayView) async -> [ChannelCorrection]? {
        // A change of the guild itself is in no log: who missed one begins anew.
        guard view.version == home.inherited.version else { return nil }
        let committed = home.inherited.heads
        let channels = Set(view.heads.keys).union(committed.keys).filter { view.heads[$0] != committed[$0] }
        guard channels.count <= Self.maximumCorrections else { return nil }
        var corrections: [ChannelCorrection] = []
        for channelID in channels.sorted() {
            guard
                let correction = await correction(
                    of: channelID, shown: view.heads[channelID], committed: committed[channelID])
            else { return nil }
            corrections.append(correction)
        }
        return corrections
    }

    private func correction(
        of channelID: ChannelID, shown: ChannelHead?, committed: ChannelHead?
    ) async -> ChannelCorrection? {
        let guildID = home.guildID
        let page: ChannelEventPage
        let bodies: [(event: ChannelEvent, kind: EventKind, body: [UInt8])]
        do {
            page = try await services.channelEvents.after(
                shown?.sequence ?? 0, epoch: shown?.epoch, in: channelID, guildID: guildID,
                limit: ChannelEvents.pageLimit)
            bodies = try await services.renderer.renderEach(page, guildID: guildID)
        } catch { return nil }
        let last = committed?.sequence ?? 0
        // The log may have gone on under this owner: what it emits itself comes from the stream.
        let inherited = bodies.filter { $0.event.seq <= last }
        guard !page.isTruncated, page.events.count < ChannelEvents.pageLimit || (page.events.last?.seq ?? 0) >= last
        else { return nil }
        return ChannelCorrection(
            channelID: channelID, standsUpTo: page.rolledBackTo ?? shown?.sequence ?? 0,
            missed: inherited.map { entry in
                StreamEvent(
                    kind: entry.kind, body: entry.body, audience: .viewers(of: channelID),
                    intents: entry.kind.guildIntent ?? [],
                    mark: .log(
                        ChannelHead(channelID: channelID, sequence: entry.event.seq, epoch: entry.event.epoch),
                        entry.kind, messageID: nil))
            })
    }
}

extension GuildHome {
    /// How the stream goes on at a relay of this epoch, or a new one, and what of it the relay missed.
    func continuation(after position: StreamPosition?) -> (RelayWelcome.Continuation, replayed: [StreamEvent]) {
        if let position, position.epoch == epoch, position <= publisher.position,
            let missed = loop.relays.emitted(publisher.key, after: position)
        {
            return (.goesOn, missed)
        }
        return (.begins(publisher.position, view), [])
    }
}
