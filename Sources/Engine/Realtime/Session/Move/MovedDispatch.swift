import FluxCluster
import FluxCore

/// One dispatch of a session that moves: what its client may have to be told again.
struct MovedDispatch: WireCodable {
    var event: StreamEvent

    init(_ event: StreamEvent) { self.event = event }

    func encode(to writer: inout WireWriter) {
        writer.byte(event.kind.rawValue)
        writer.byteArray(event.body)
    }

    init(from reader: inout WireReader) throws(WireError) {
        event = StreamEvent(kind: try reader.eventKind(), body: try reader.byteArray())
    }
}
