import FluxCluster
import FluxCore
import FluxStore

extension OutboxEntry {
    /// An entry for the actor whose stream has this key.
    init(id: Snowflake, for target: StreamKey, _ notice: some WireCodable, at now: Timestamp) {
        var writer = WireWriter()
        notice.encode(to: &writer)
        self.init(
            id: id, targetKind: target.kind.rawValue, targetKey: target.id, createdAt: now, payload: writer.bytes)
    }

    /// Whose actor it is for; nil for a sort that this version does not know.
    package var target: StreamKey? {
        StreamKey.Kind(rawValue: targetKind).map { StreamKey(kind: $0, id: targetKey) }
    }
}

extension EngineServices {
    /// How many targets of hints look into the outbox at a time.
    private static let hintWidth = 32

    /// Tells actors that something waits for them in the outbox. Returns when each has looked, or could not be reached: then
    /// it looks when it is activated or the outbox is swept.
    func hint(_ targets: [StreamKey]) async {
        await withTaskGroup(of: Void.self) { group in
            for (number, target) in targets.enumerated() {
                if number >= Self.hintWidth { await group.next() }
                group.addTask { await self.hint(target) }
            }
        }
    }

    private func hint(_ target: StreamKey) async {
        do {
            switch target.kind {
            case .guild: _ = try await system.invoke(GuildCalls.outbox, on: .guild(target.id), Nothing())
            case .user: _ = try await system.invoke(UserCalls.outbox, on: .user(target.id), Nothing())
            }
        } catch {
            logger.debug("\(target.kind) \(target.id) could not be told of what waits for it: \(error)")
        }
    }
}
