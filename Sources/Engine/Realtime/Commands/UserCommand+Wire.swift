import FluxCluster
import FluxCore

extension UserCommand: WireCodable {
    public func encode(to writer: inout WireWriter) {
        caller.encode(to: &writer)
        writer.unsigned(idempotencyKey)
        operation.encode(to: &writer)
        body.encode(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self.init(
            caller: try reader.value(), idempotencyKey: try reader.unsigned(), operation: try reader.value(),
            body: try reader.value())
    }
}

extension UserOperation: WireCodable {
    // The numbers of the operations between nodes never change their meaning.
    public func encode(to writer: inout WireWriter) {
        func put(_ number: UInt8, _ ids: Snowflake...) {
            writer.byte(number)
            for id in ids { id.encode(to: &writer) }
        }
        switch self {
        case .get: put(1)
        case .updateProfile: put(2)
        case .listRelationships: put(3)
        case .requestFriend(let id): put(4, id)
        case .setRelationship(let id): put(5, id)
        case .removeRelationship(let id): put(6, id)
        case .updateRelationship(let id): put(7, id)
        case .listDirectMessages: put(8)
        case .openDirectMessage: put(9)
        case .closeDirectMessage(let id): put(10, id)
        case .acknowledge(let channelID, let messageID): put(11, channelID, messageID)
        case .acknowledgeMany: put(12)
        case .receipts(let id): put(13, id)
        case .settings: put(14)
        case .updateSettings: put(15)
        case .updateGuildSettings(let id): put(16, id)
        case .note(let id): put(17, id)
        case .setNote(let id): put(18, id)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .get
        case 2: self = .updateProfile
        case 3: self = .listRelationships
        case 4: self = .requestFriend(try reader.value())
        case 5: self = .setRelationship(try reader.value())
        case 6: self = .removeRelationship(try reader.value())
        case 7: self = .updateRelationship(try reader.value())
        case 8: self = .listDirectMessages
        case 9: self = .openDirectMessage
        case 10: self = .closeDirectMessage(try reader.value())
        case 11: self = .acknowledge(try reader.value(), try reader.value())
        case 12: self = .acknowledgeMany
        case 13: self = .receipts(try reader.value())
        case 14: self = .settings
        case 15: self = .updateSettings
        case 16: self = .updateGuildSettings(try reader.value())
        case 17: self = .note(try reader.value())
        case 18: self = .setNote(try reader.value())
        case let other: throw .unknownCase(UInt64(other))
        }
    }
}
