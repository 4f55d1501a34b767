import FluxCore
import FluxStore
import FluxTestSupport
import Testing

@testable import FluxRealtime

/// What people do with their own accounts, and what their clients saw of it.
extension TestNode {
    /// A command of somebody on their own account; gives the answer's body.
    @discardableResult
    func act(_ operation: UserOperation, _ body: JSON = .null, as caller: Caller) async throws -> JSON {
        let reply = try await realtime.perform(UserCommand(caller: caller, operation: operation, body: body))
        return reply.body.isEmpty ? .null : try JSON.parse(reply.body)
    }

    /// The DM of two people.
    func direct(_ caller: Caller, with peer: Caller) async throws -> ChannelID {
        let channel = try await act(
            .openDirectMessage, ["recipient_id": .string(peer.userID.description)], as: caller)
        return try #require(channel["id"]?.snowflakeValue)
    }

    /// Makes two people friends, and returns when both have heard of it.
    func befriend(_ one: Caller, _ other: Caller) async throws {
        try await act(.requestFriend(other.userID), as: one)
        try await outboxIsEmpty()
        try await act(.setRelationship(one.userID), as: other)
        try await outboxIsEmpty()
    }

    /// Waits until every notice has been applied.
    func outboxIsEmpty() async throws {
        while !(try await Outbox(database).pending(in: Slot.all)).isEmpty {
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Makes changes durable as a node does that dies before it has told anybody.
    static func commitAndDie(_ statements: [Statement], at url: String) async throws {
        let database = try open(url)
        _ = try await database.transaction(statements)
        await database.close()
    }

    /// A pool over a node's database beside the node's own.
    static func open(_ url: String) throws -> Database {
        try Database(
            configuration: DatabaseConfiguration(url: url, applicationName: "flux/test", connections: 1),
            logger: TestDatabase.silence)
    }
}

extension TestClient {
    /// The relationships that were added and removed, such as `+4` and `-1`, in order.
    var relationshipEvents: [String] {
        dispatches.compactMap { dispatch in
            guard let type = dispatch.body["type"]?.intValue else { return nil }
            return switch dispatch.kind {
            case .relationshipAdd: "+\(type)"
            case .relationshipRemove: "-\(type)"
            default: nil
            }
        }
    }

    func untilRelationshipEvents(_ count: Int) async {
        await until { dispatches, _, _ in
            dispatches.filter { $0.kind == .relationshipAdd || $0.kind == .relationshipRemove }.count >= count
        }
    }

    func count(_ kind: EventKind) -> Int { dispatches.filter { $0.kind == kind }.count }

    func bodies(_ kind: EventKind) -> [JSON] { dispatches.filter { $0.kind == kind }.map(\.body) }

    func until(_ kind: EventKind, count: Int = 1) async {
        await until { dispatches, _, _ in dispatches.filter { $0.kind == kind }.count >= count }
    }

    var ready: JSON { dispatches.first?.body ?? .null }
}
