import FluxCluster
import FluxCore
import NIOCore

/// How the relays of a loop ask the owners of their streams.
extension EngineLoop {
    /// How long a relay waits before it asks an owner again that could not answer.
    private static let pause: TimeAmount = .milliseconds(500)

    /// Asks the owner of a stream to send it on from where the relay stands.
    func register(_ relay: Relay, of key: StreamKey) {
        let (registration, position, view) = (relay.registration, relay.position, relay.view)
        guard position != nil else {
            // Nobody has been shown anything by a new relay.
            return ask(key, registration, position, view, listeners: [])
        }
        gatherListeners(of: key, loops: relay.loops) { loop, listeners in
            loop.ask(key, registration, position, view, listeners: listeners)
        }
    }

    private func ask(
        _ key: StreamKey, _ registration: UInt64, _ position: StreamPosition?, _ view: RelayView, listeners: [UserID]
    ) {
        let request = RelayRegistration(
            node: services.system.identity.id, number: registration, position: position, view: view,
            listeners: listeners)
        let (services, asked) = (services, now)
        let finished: @Sendable (Result<RelayWelcome, CallError>) -> Void = { result in
            guard let loop = EngineLoop.current else { return }
            switch result {
            case .success(let welcome):
                services.links.registered(with: welcome.owner, askedAt: asked, on: loop)
                loop.relays.answered(key, registration: registration, welcome)
                if position != nil, key.kind == .user { loop.announceListeners(of: key) }
            case .failure(.refused(let failure as APIError)) where failure.status == 404:
                loop.relays.refused(key, registration: registration)
            case .failure:
                guard loop.relays.unanswered(key, registration: registration) else { return }
                loop.executor.eventLoop.scheduleTask(in: Self.pause) {
                    loop.relays.tryAgain(key, registration: registration)
                }
            }
        }
        switch key.kind {
        case .guild:
            services.system.invoke(
                GuildCalls.register, on: .guild(key.id), request, replyOn: index, completion: finished)
        case .user:
            services.system.invoke(
                UserCalls.register, on: .user(key.id), request, replyOn: index, completion: finished)
        }
    }

    /// Tells a user's owner, who has answered again, of the user's sessions on this node.
    private func announceListeners(of key: StreamKey) {
        for loop in 0..<services.mesh.count {
            services.run(on: loop) { loop in
                for case let session as Session in loop.registry.subscribers(of: key) {
                    loop.users.ownerIsBack(for: session)
                }
            }
        }
    }

    /// Asks the loops whose sessions listen to the stream, and calls back on this loop.
    private func gatherListeners(
        of key: StreamKey, loops: UInt64, _ completion: @escaping @Sendable (EngineLoop, [UserID]) -> Void
    ) {
        let (services, home) = (services, index)
        let asked = (0..<services.mesh.count).filter { loops & (1 << UInt64($0)) != 0 }
        guard !asked.isEmpty else { return completion(self, []) }
        let gathered = LoopConfined((remaining: asked.count, users: [UserID]()))
        for loop in asked {
            services.run(on: loop) { loop in
                let users = loop.registry.users(of: key)
                services.run(on: home) { home in
                    gathered.value.users += users
                    gathered.value.remaining -= 1
                    if gathered.value.remaining == 0 { completion(home, gathered.value.users) }
                }
            }
        }
    }
}
