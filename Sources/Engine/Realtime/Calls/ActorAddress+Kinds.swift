import FluxCluster
import FluxCore

extension ActorKind {
    static let guild = ActorKind(rawValue: 1)
    static let channel = ActorKind(rawValue: 2)
    static let user = ActorKind(rawValue: 3)
    static let session = ActorKind(rawValue: 4)
    static let budget = ActorKind(rawValue: 5)
}

extension ActorAddress {
    static func guild(_ id: GuildID) -> ActorAddress { ActorAddress(kind: .guild, key: id) }
    static func user(_ id: UserID) -> ActorAddress { ActorAddress(kind: .user, key: id) }
    static func budget(of id: UserID) -> ActorAddress { ActorAddress(kind: .budget, key: id) }

    /// A session's address names a slot only to say which loop of its node it lives on.
    init(session key: SessionKey, onLoop index: Int, of mesh: LoopMesh) {
        let slot = Slot.all.first { mesh.index(of: $0) == index }
        precondition(slot != nil, "every loop has slots as long as there are fewer loops than slots")
        self.init(kind: .session, key: key.rawValue, slot: slot ?? Slot(of: Snowflake(0)))
    }
}
