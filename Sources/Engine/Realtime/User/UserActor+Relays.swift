import FluxCluster

extension UserActor {
    /// A node's relay wants the user's stream. One that had everything of an owner who handed the user over goes on; one that
    /// comes from an earlier owner otherwise, or has fallen too far behind, begins anew: its sessions are few and are told so
    /// (I6).
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
        if let position = request.position, position == inherited,
            let since = loop.relays.emitted(key, after: start)
        {
            loop.relays.attach(request.node, registration: request.number, to: key, replaying: since)
            return RelayWelcome(owner: node, continuation: .succeeds(start, RelayView(), []))
        }
        loop.relays.attach(request.node, registration: request.number, to: key, replaying: [])
        return RelayWelcome(owner: node, continuation: .begins(publisher.position, RelayView()))
    }
}
