import FluxCluster
import FluxCore

/// What two nodes say to each other while a session moves from one to the other. Everything goes over the bulk lane, in order;
/// the taker draws the ticket, which names the move.
///
/// Taker: `ask`, holder: `described`; taker: `take`, holder: `state` and `dispatches`; taker: `settle`, holder: `settled`. The
/// holder keeps the session until `settle`, and the taker sends its client nothing before `settled`. A holder that ends says `offer`
/// of sessions whose clients are away, and the taker asks for them likewise. Before it leaves it says `confirm`: with `heard` it knows
/// that no `settled` of it is lost with the link.
enum SessionMoveMessage: WireCodable {
    /// A client with the last dispatch `sequence` wants its session.
    case ask(ticket: UInt64, key: SessionKey, userID: UserID, sequence: UInt64)
    case refused(ticket: UInt64, SessionMoveRefusal)
    /// The session's connection is closed; it goes on at the holder. Again after `take`, if it has more streams by now.
    case described(ticket: UInt64, SessionDescription)
    /// The taker follows these streams; the session may be frozen once it has seen them up to these positions.
    case take(ticket: UInt64, key: SessionKey, [StreamHead])
    /// The session as of one moment.
    case state(ticket: UInt64, SessionState)
    /// Dispatches of its replay ring, in order.
    case dispatches(ticket: UInt64, [MovedDispatch])
    /// The taker has all of it and goes on from there, if the holder lets go.
    case settle(ticket: UInt64, key: SessionKey)
    /// Whether the holder has let go.
    case settled(ticket: UInt64, isYours: Bool)
    /// The answer to an op 100 that was under way.
    case answer(ticket: UInt64, key: SessionKey, SendAnswer)
    /// The holder does not serve any more, and the session waits for its client: it may be had with all dispatches after `sequence`.
    case offer(ticket: UInt64, key: SessionKey, userID: UserID, sequence: UInt64)
    /// The holder leaves and wants to know when all that it has said is read.
    case confirm(ticket: UInt64)
    /// All that was said before `confirm` is read.
    case heard(ticket: UInt64)

    func encode(to writer: inout WireWriter) {
        writer.record { fields in
            switch self {
            case .ask(let ticket, let key, let userID, let sequence):
                fields.byte(1)
                fields.unsigned(ticket)
                fields.unsigned(key.rawValue)
                fields.value(userID)
                fields.unsigned(sequence)
            case .refused(let ticket, let refusal):
                fields.byte(2)
                fields.unsigned(ticket)
                switch refusal {
                case .unknown: fields.byte(1)
                case .movedTo(let node):
                    fields.byte(2)
                    fields.value(node)
                case .notNow: fields.byte(3)
                case .impossible: fields.byte(4)
                }
            case .described(let ticket, let description):
                fields.byte(3)
                fields.unsigned(ticket)
                fields.value(description)
            case .take(let ticket, let key, let heads):
                fields.byte(4)
                fields.unsigned(ticket)
                fields.unsigned(key.rawValue)
                fields.list(heads)
            case .state(let ticket, let state):
                fields.byte(5)
                fields.unsigned(ticket)
                fields.value(state)
            case .dispatches(let ticket, let dispatches):
                fields.byte(6)
                fields.unsigned(ticket)
                fields.list(dispatches)
            case .settle(let ticket, let key):
                fields.byte(7)
                fields.unsigned(ticket)
                fields.unsigned(key.rawValue)
            case .settled(let ticket, let isYours):
                fields.byte(8)
                fields.unsigned(ticket)
                fields.bool(isYours)
            case .answer(let ticket, let key, let answer):
                fields.byte(9)
                fields.unsigned(ticket)
                fields.unsigned(key.rawValue)
                fields.value(answer)
            case .offer(let ticket, let key, let userID, let sequence):
                fields.byte(10)
                fields.unsigned(ticket)
                fields.unsigned(key.rawValue)
                fields.value(userID)
                fields.unsigned(sequence)
            case .confirm(let ticket):
                fields.byte(11)
                fields.unsigned(ticket)
            case .heard(let ticket):
                fields.byte(12)
                fields.unsigned(ticket)
            }
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            let number = try fields.byte()
            let ticket = try fields.unsigned(UInt64.self)
            switch number {
            case 1:
                return .ask(
                    ticket: ticket, key: SessionKey(rawValue: try fields.unsigned()), userID: try fields.value(),
                    sequence: try fields.unsigned())
            case 2:
                switch try fields.byte() {
                case 1: return .refused(ticket: ticket, .unknown)
                case 2: return .refused(ticket: ticket, .movedTo(try fields.value()))
                case 3: return .refused(ticket: ticket, .notNow)
                case 4: return .refused(ticket: ticket, .impossible)
                case let other: throw WireError.unknownCase(UInt64(other))
                }
            case 3: return .described(ticket: ticket, try fields.value())
            case 4:
                return .take(ticket: ticket, key: SessionKey(rawValue: try fields.unsigned()), try fields.list())
            case 5: return .state(ticket: ticket, try fields.value())
            case 6: return .dispatches(ticket: ticket, try fields.list())
            case 7: return .settle(ticket: ticket, key: SessionKey(rawValue: try fields.unsigned()))
            case 8: return .settled(ticket: ticket, isYours: try fields.bool())
            case 9:
                return .answer(
                    ticket: ticket, key: SessionKey(rawValue: try fields.unsigned()), try fields.value())
            case 10:
                return .offer(
                    ticket: ticket, key: SessionKey(rawValue: try fields.unsigned()), userID: try fields.value(),
                    sequence: try fields.unsigned())
            case 11: return .confirm(ticket: ticket)
            case 12: return .heard(ticket: ticket)
            case let other: throw WireError.unknownCase(UInt64(other))
            }
        }
    }
}
