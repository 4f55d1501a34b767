import FluxCluster
import FluxCore

extension ChannelCommand: WireCodable {
    public func encode(to writer: inout WireWriter) {
        caller.encode(to: &writer)
        writer.optional(reason)
        writer.unsigned(idempotencyKey)
        operation.encode(to: &writer)
        body.encode(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self.init(
            caller: try reader.value(), reason: try reader.optional(), idempotencyKey: try reader.unsigned(),
            operation: try reader.value(), body: try reader.value())
    }
}

extension ChannelOperation.Page: WireCodable {
    public func encode(to writer: inout WireWriter) {
        switch self {
        case .newest:
            writer.byte(0)
        case .before(let cursor):
            writer.byte(1)
            cursor.encode(to: &writer)
        case .after(let cursor):
            writer.byte(2)
            cursor.encode(to: &writer)
        case .around(let cursor):
            writer.byte(3)
            cursor.encode(to: &writer)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 0: self = .newest
        case 1: self = .before(try reader.value())
        case 2: self = .after(try reader.value())
        case 3: self = .around(try reader.value())
        case let other: throw .unknownCase(UInt64(other))
        }
    }
}

extension ChannelOperation: WireCodable {
    // The numbers of the operations between nodes never change their meaning.
    public func encode(to writer: inout WireWriter) {
        switch self {
        case .get:
            writer.byte(1)
        case .send(let attachments):
            writer.byte(2)
            writer.list(attachments)
        case .edit(let id, let attachments):
            writer.byte(3)
            id.encode(to: &writer)
            writer.list(attachments)
        case .delete(let id):
            writer.byte(4)
            id.encode(to: &writer)
        case .bulkDelete:
            writer.byte(5)
        case .history(let page, let limit):
            writer.byte(6)
            page.encode(to: &writer)
            writer.signed(limit)
        case .message(let id):
            writer.byte(7)
            id.encode(to: &writer)
        case .typing:
            writer.byte(8)
        case .addReaction(let id, let emoji):
            writer.byte(9)
            id.encode(to: &writer)
            emoji.encode(to: &writer)
        case .removeReaction(let id, let emoji, let userID):
            writer.byte(10)
            id.encode(to: &writer)
            emoji.encode(to: &writer)
            userID.encode(to: &writer)
        case .clearReactions(let id, let emoji):
            writer.byte(11)
            id.encode(to: &writer)
            writer.optional(emoji)
        case .listReactions(let id, let emoji, let after, let limit):
            writer.byte(12)
            id.encode(to: &writer)
            emoji.encode(to: &writer)
            writer.optional(after)
            writer.signed(limit)
        case .pins(let before, let limit, let legacy):
            writer.byte(13)
            writer.optional(before)
            writer.signed(limit)
            writer.bool(legacy)
        case .pin(let id):
            writer.byte(14)
            id.encode(to: &writer)
        case .unpin(let id):
            writer.byte(15)
            id.encode(to: &writer)
        case .events(let after, let limit, let epoch):
            writer.byte(16)
            writer.signed(after)
            writer.signed(limit)
            writer.optional(epoch)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .get
        case 2: self = .send(attachments: try reader.list())
        case 3: self = .edit(try reader.value(), attachments: try reader.list())
        case 4: self = .delete(try reader.value())
        case 5: self = .bulkDelete
        case 6: self = .history(try reader.value(), limit: try reader.signed())
        case 7: self = .message(try reader.value())
        case 8: self = .typing
        case 9: self = .addReaction(try reader.value(), try reader.value())
        case 10: self = .removeReaction(try reader.value(), try reader.value(), try reader.value())
        case 11: self = .clearReactions(try reader.value(), try reader.optional())
        case 12:
            self = .listReactions(
                try reader.value(), try reader.value(), after: try reader.optional(), limit: try reader.signed())
        case 13:
            self = .pins(before: try reader.optional(), limit: try reader.signed(), legacy: try reader.bool())
        case 14: self = .pin(try reader.value())
        case 15: self = .unpin(try reader.value())
        case 16:
            self = .events(after: try reader.signed(), limit: try reader.signed(), epoch: try reader.optional())
        case let other: throw .unknownCase(UInt64(other))
        }
    }
}
