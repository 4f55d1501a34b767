import FluxCore
import FluxStore

/// What a statement writes into the tables of people, read from its parameters.
enum PeopleWrite {
    case side(RelationshipSide)
    case sent([OutboxEntry])
    case taken(Snowflake)

    /// Nil for a statement of another table.
    init?(_ statement: Statement) {
        let values = statement.parameters
        switch statement.query.name {
        case "relationships.set":
            guard let side = RelationshipSide(values) else { return nil }
            self = .side(side)
        case "outbox.insert":
            guard let entries = Self.entries(values) else { return nil }
            self = .sent(entries)
        case "outbox.take":
            guard let id = values.first?.id else { return nil }
            self = .taken(id)
        default: return nil
        }
    }

    private static func entries(_ values: [SQLValue]) -> [OutboxEntry]? {
        guard values.count == 6, case .intArray(let ids) = values[0], case .intArray(let kinds) = values[1],
            case .intArray(let slots) = values[2], case .intArray(let keys) = values[3],
            case .timestampArray(let moments) = values[4], case .bytesArray(let payloads) = values[5]
        else { return nil }
        return ids.indices.compactMap { index in
            guard let moment = moments[index], let payload = payloads[index] else { return nil }
            return OutboxEntry(
                id: Snowflake(UInt64(ids[index])), targetKind: UInt8(kinds[index]),
                targetKey: Snowflake(UInt64(keys[index])), targetSlot: Slot(rawValue: UInt16(slots[index])),
                createdAt: moment, payload: payload)
        }
    }
}

extension RelationshipSide {
    /// The row that `Statement.setRelationship` writes.
    fileprivate init?(_ values: [SQLValue]) {
        guard values.count == 13, let userID = values[0].id, let peerID = values[1].id,
            case .int(let kind) = values[2], case .timestamp(let since) = values[3],
            let own = RelationshipHalf(values[5...8]), let peer = RelationshipHalf(values[9...12])
        else { return nil }
        self.init(
            userID: userID, peerID: peerID, kind: Relationship.Kind(rawValue: Int(kind)), since: since, own: own,
            peer: peer)
    }
}

extension RelationshipHalf {
    fileprivate init?(_ values: ArraySlice<SQLValue>) {
        let ids = values.prefix(3).compactMap(\.id)
        guard ids.count == 3, case .bool(let blocks)? = values.last else { return nil }
        self.init(version: ids[0], want: ids[1], dismissed: ids[2], blocks: blocks)
    }
}

extension SQLValue {
    fileprivate var id: Snowflake? {
        if case .int(let value) = self { Snowflake(UInt64(value)) } else { nil }
    }
}
