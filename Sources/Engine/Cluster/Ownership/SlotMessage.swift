import FluxCore

/// What the keepers of slots say to each other.
public enum SlotMessage: Hashable, Sendable {
    /// The slot is to be yours; may its state be sent?
    case offer(Slot, Epoch)
    /// It may.
    case accept(Slot, Epoch)
    /// It may not, now.
    case decline(Slot, Epoch)
    /// The offer is off: forget what was sent.
    case callOff(Slot, Epoch)
    /// The lease is yours, at this epoch.
    case granted(Slot, Epoch)
    /// The sender has no way to Postgres and agrees that these leases are taken from it.
    case consent([Route])
    /// Who owns which slots, as the sender knows it.
    case routes([Route])
}

/// A slot's owner at an epoch.
public struct Route: Hashable, Sendable {
    /// The slot.
    public var slot: Slot
    /// Its owner.
    public var node: NodeID
    /// The owner's epoch.
    public var epoch: Epoch

    /// A route from its parts.
    public init(slot: Slot, node: NodeID, epoch: Epoch) {
        self.slot = slot
        self.node = node
        self.epoch = epoch
    }
}

extension Route: WireCodable {
    /// Slot, node and epoch; a list of routes is long, so each is no record.
    public func encode(to writer: inout WireWriter) {
        writer.value(slot)
        writer.value(node)
        writer.signed(epoch)
    }

    /// Reads what `encode` wrote.
    public init(from reader: inout WireReader) throws(WireError) {
        self.init(slot: try reader.value(), node: try reader.value(), epoch: try reader.signed())
    }
}

extension SlotMessage: WireCodable {
    /// A record of a number and what belongs to it.
    public func encode(to writer: inout WireWriter) {
        writer.record { fields in
            switch self {
            case .offer(let slot, let epoch): Self.encode(1, slot, epoch, to: &fields)
            case .accept(let slot, let epoch): Self.encode(2, slot, epoch, to: &fields)
            case .decline(let slot, let epoch): Self.encode(3, slot, epoch, to: &fields)
            case .callOff(let slot, let epoch): Self.encode(4, slot, epoch, to: &fields)
            case .granted(let slot, let epoch): Self.encode(5, slot, epoch, to: &fields)
            case .consent(let routes):
                fields.byte(6)
                fields.list(routes)
            case .routes(let routes):
                fields.byte(7)
                fields.list(routes)
            }
        }
    }

    /// Reads a record; a number that is not known is an error, and its receiver passes the message over.
    public init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            switch try fields.byte() {
            case 1: .offer(try fields.value(), try fields.signed())
            case 2: .accept(try fields.value(), try fields.signed())
            case 3: .decline(try fields.value(), try fields.signed())
            case 4: .callOff(try fields.value(), try fields.signed())
            case 5: .granted(try fields.value(), try fields.signed())
            case 6: .consent(try Self.routes(from: &fields))
            case 7: .routes(try Self.routes(from: &fields))
            case let other: throw .unknownCase(UInt64(other))
            }
        }
    }

    private static func encode(_ number: UInt8, _ slot: Slot, _ epoch: Epoch, to fields: inout WireWriter) {
        fields.byte(number)
        fields.value(slot)
        fields.signed(epoch)
    }

    private static func routes(from fields: inout WireReader) throws(WireError) -> [Route] {
        let routes: [Route] = try fields.list()
        guard routes.count <= Slot.count else { throw .limitExceeded("routes") }
        return routes
    }
}
