import FluxCluster
import FluxCore
import FluxStore

/// How other nodes' relays, and this node's own after a change of owner, take up the guild's stream.
extension GuildActor {
    /// A node's relay wants the guild's stream.
    func register(_ request: RelayRegistration, _ respond: Responder<RelayWelcome>) {
        services.links.grant(to: request.node)
        guard home.state != nil else { return respond.refuse(APIError.unknownGuild) }
        // A new relay has no listeners yet that it could name.
        if request.position != nil {
            home.setWatchers(request.listeners, on: request.node)
            learnPresences(of: request.listeners)
        }
        guard home.succession.succeeds(request.position) else {
            return respond(welcome(request, home.continuation(after: request.position)))
        }
        Task { respond(await self.succeed(request)) }
    }

    /// The relay comes from an earlier owner.
    private func succeed(_ request: RelayRegistration) async -> RelayWelcome {
        guard let corrections = await corrections(for: request.view),
            let since = loop.relays.emitted(home.publisher.key, after: home.succession.start)
        else { return welcome(request, home.continuation(after: nil)) }
        return welcome(request, (.succeeds(home.succession.start, home.succession.inherited, corrections), since))
    }

    /// A relay begins anew over a change of access that does not name its listeners, as nobody knew of them: they would go on
    /// seeing what was taken from them (I7).
    private func welcome(
        _ request: RelayRegistration, _ next: (RelayWelcome.Continuation, replayed: [StreamEvent])
    ) -> RelayWelcome {
        let isToldAll = home.watchers.knew(request.listeners, at: next.replayed)
        let next = isToldAll ? next : home.continuation(after: nil)
        loop.relays.attach(
            request.node, registration: request.number, to: home.publisher.key, replaying: next.replayed)
        return RelayWelcome(owner: services.system.identity.id, continuation: next.0)
    }

    /// What brings a relay that has shown `view` to what was committed when this owner began; nil if that cannot be had.
    private func corrections(for view: RelayView) async -> [ChannelCorrection]? {
        guard let channels = home.succession.channelsToCorrect(in: view) else { return nil }
        var corrections: [ChannelCorrection] = []
        for channelID in channels {
            guard let correction = await correction(of: channelID, shown: view.heads[channelID]) else { return nil }
            corrections.append(correction)
        }
        return corrections
    }

    private func correction(of channelID: ChannelID, shown: ChannelHead?) async -> ChannelCorrection? {
        let guildID = home.guildID
        do {
            let page = try await services.channelEvents.after(
                shown?.sequence ?? 0, epoch: shown?.epoch, in: channelID, guildID: guildID,
                limit: ChannelEvents.pageLimit)
            let bodies = try await services.renderer.renderEach(page, guildID: guildID)
            return home.succession.correction(of: channelID, shown: shown, page: page, bodies: bodies)
        } catch { return nil }
    }
}

extension GuildHome {
    /// How the stream goes on at a relay of this epoch, or a new one, and what of it the relay missed.
    func continuation(after position: StreamPosition?) -> (RelayWelcome.Continuation, replayed: [StreamEvent]) {
        succession.continuation(after: position, last: publisher.position, view: view) { after in
            loop.relays.emitted(publisher.key, after: after)
        }
    }
}
