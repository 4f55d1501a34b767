import FluxCluster
import FluxCore
import FluxRealtime

/// The relays' shell: what `EngineLoop` and `StreamLinks` do around `RelayHub` and `RelayLeases`.
extension ChatNode {
    /// How long a relay waits before it asks an owner again that could not answer.
    private static let pause = Duration.milliseconds(500)

    /// Asks the owner of a stream to send it on from where the relay stands.
    func register(_ relay: Relay, of key: StreamKey) {
        let request = world.cluster.wire.carry(
            RelayRegistration(
                node: id, number: relay.registration, position: relay.position, view: relay.view,
                listeners: registry.users(of: key)), from: id)
        let asked = now
        call(key.slot, deadline: .seconds(5)) { (owner: ChatNode, respond: @escaping (RelayWelcome?) -> Void) in
            owner.welcome(request, to: key, respond)
        } _: { [self] welcome in
            if let welcome {
                let welcome = world.cluster.wire.carry(welcome, from: welcome.owner)
                if welcome.owner != id, leases.revived(by: welcome.owner, askedAt: asked, at: now) {
                    relays.mistrust(welcome.owner)
                }
                answeredAt[key] = world.now
                relays.answered(key, registration: request.number, welcome)
            } else {
                guard relays.unanswered(key, registration: request.number) else { return }
                world.after(Self.pause, on: self) { [unowned self] in
                    relays.tryAgain(key, registration: request.number)
                }
            }
        }
    }

    /// Another node's relay, or its own, wants a stream of this one.
    private func welcome(
        _ request: RelayRegistration, to key: StreamKey, _ respond: @escaping (RelayWelcome?) -> Void
    ) {
        switch key.kind {
        case .guild:
            guard let guild = world.guilds.first(where: { $0.key == key }) else { return respond(nil) }
            owner(of: guild) { owner in
                if let owner { owner.register(request, respond) } else { respond(nil) }
            }
        case .user: user(key.id) { respond($0?.register(request)) }
        }
    }

    /// A frame of events came.
    func receiveEvents(_ events: [RelayHub.Entry], from peer: NodeID) {
        if leases.isHeld(from: peer, at: now) || world.bug == .deliveryWithoutLease {
            relays.receive(events, from: peer)
        } else {
            relays.mistrust(peer)
        }
    }

    /// Events of a stream were lost: its sessions begin anew.
    func breakStream(_ key: StreamKey) {
        let broken = BrokenSessions()
        self.broken = broken
        registry.breakStream(key)
        self.broken = nil
        for session in broken.sessions.sorted(by: { $0.number < $1.number }) { session.end(tellingClient: true) }
    }

    // MARK: Subscribing

    func subscribe(_ session: ChatSession, to key: StreamKey) -> Subscription {
        let (subscription, isFirst) = registry.register(session, to: key)
        if isFirst {
            let position = owners[key.id]?.position ?? people.users[key.id]?.position
            relays.subscribe(loop: 0, to: key, at: now, position: position)
        }
        return subscription
    }

    func unsubscribe(_ subscription: Subscription) {
        guard registry.remove(subscription) else { return }
        relays.unsubscribe(loop: 0, from: subscription.key, at: now)
    }
}

/// Gathers the sessions of a broken stream, which the registry names in no order.
final class BrokenSessions {
    var sessions: [ChatSession] = []
}
