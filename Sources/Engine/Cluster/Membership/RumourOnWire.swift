/// A rumour in a message, or nothing where a newer node sent a kind that this one does not know: news is passed over, the
/// message is not.
struct RumourOnWire: WireCodable {
    let rumour: Rumour?

    init(_ rumour: Rumour) { self.rumour = rumour }

    func encode(to writer: inout WireWriter) {
        writer.record { fields in
            switch rumour {
            case .health(let rumour):
                fields.byte(1)
                fields.value(rumour)
            case .report(let report):
                fields.byte(2)
                fields.value(report)
            case nil:
                fields.byte(0)
            }
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        rumour = try reader.record { fields throws(WireError) in
            do throws(WireError) {
                switch try fields.byte() {
                case 1: return .health(try fields.value())
                case 2: return .report(try fields.value())
                default: return nil
                }
            } catch .unknownCase {
                return nil
            }
        }
    }
}
