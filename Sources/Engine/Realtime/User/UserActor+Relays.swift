import FluxCluster

extension UserActor {
    /// A node's relay wants the user's stream. One that comes from an earlier owner goes on if that one has handed the user
    /// over, or if all that it has shown is what stood when this owner began. Else, or when it has fallen too far behind, it
    /// begins anew: its sessions are few and are told so (I6).
    func register(_ request: RelayRegistration) -> RelayWelcome {
        services.links.grant(to: request.node)
        let key = publisher.key
        let node = services.system.identity.id
        if let position = request.position, position.epoch == epoch,
            let missed = loop.relays.emitted(key, after: position)
        {
            loop.relays.attach(request.node, registration: request.number, to: key, replaying: missed)
            return RelayWelcome(owner: node, continuation: .goesOn)
        }
        if let position = request.position, goesOn(position, request.view),
            let since = loop.relays.emitted(key, after: start)
        {
            loop.relays.attach(request.node, registration: request.number, to: key, replaying: since)
            if position != inherited { makeUp() }
            return RelayWelcome(
                owner: node, continuation: .succeeds(start, RelayView(version: inheritedVersion), []))
        }
        loop.relays.attach(request.node, registration: request.number, to: key, replaying: [])
        return RelayWelcome(owner: node, continuation: .begins(publisher.position, view))
    }

    private func goesOn(_ position: StreamPosition, _ view: RelayView) -> Bool {
        position == inherited || position != .none && position.epoch < epoch && view.version == inheritedVersion
    }
}
