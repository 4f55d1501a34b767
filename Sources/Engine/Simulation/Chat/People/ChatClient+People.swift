import FluxCore
import FluxRealtime

/// What a client has to do with others: friends, requests and blocks.
extension ChatClient {
    /// An event of its user's own stream.
    func receivedOwn(_ event: StreamEvent) {
        switch event.kind {
        case .relationshipAdd, .relationshipRemove:
            guard let body = try? JSON.parse(event.body), let peerID = body["id"]?.snowflakeValue else {
                return violate("an event of a relationship that names nobody")
            }
            let kind = body["type"]?.intValue.flatMap(Relationship.Kind.init(rawValue:))
            relationships[peerID] = event.kind == .relationshipAdd ? kind : nil
            world.auditor.trace(
                world.now, "client \(number): \(peerID) is \(relationships[peerID].map { "\($0)" } ?? "nothing")")
        default:
            if let direct = DirectBody.read(event) { received(direct.event, in: direct.channel) }
        }
    }

    /// Asks somebody for friendship, accepts, ends it, or blocks them.
    func changeRelationship() {
        let (userID, connection) = (userID, connection)
        let others = world.society.users.filter { $0 != userID }
        guard isReady, !others.isEmpty else { return }
        let peerID = world.pick(others)
        let command = command(about: peerID)
        say { session in
            session.node.call(Slot(of: userID), deadline: .seconds(10)) {
                (node: ChatNode, respond: @escaping (Snowflake?) -> Void) in
                node.user(userID) { owner in
                    if let owner { owner.perform(command, about: peerID, respond) } else { respond(nil) }
                }
            } _: { version in
                guard let version else { return }
                self.hear(connection) { client in
                    let stored = client.world.messages.people.side(of: userID, with: peerID)?.own.version
                    if version > stored ?? Snowflake(0) {
                        client.violate("I3: what was said of \(peerID) is acknowledged and not committed")
                    }
                }
            }
        }
    }

    private func command(about peerID: UserID) -> UserCommand {
        let caller = Caller(userID: userID, isBot: false)
        return switch Int.random(in: 0..<20, using: &world.random) {
        case 0..<12: UserCommand(caller: caller, operation: .requestFriend(peerID))
        case 12..<17: UserCommand(caller: caller, operation: .removeRelationship(peerID))
        default: UserCommand(caller: caller, operation: .setRelationship(peerID), body: ["type": 2])
        }
    }
}
