import FluxCluster

extension UserActor {
    /// A node's relay wants the user's stream.
    func register(_ request: RelayRegistration) -> RelayWelcome {
        services.links.grant(to: request.node)
        let key = publisher.key
        let next = succession.next(
            after: request.position, request.view, last: publisher.position, view: view
        ) { loop.relays.emitted(key, after: $0) }
        loop.relays.attach(request.node, registration: request.number, to: key, replaying: next.replayed)
        perform(conversations.followed())
        if next.isToBeMadeUpFor { makeUp() }
        return RelayWelcome(owner: services.system.identity.id, continuation: next.continuation)
    }
}
