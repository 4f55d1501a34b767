import FluxCluster
import FluxCore
import FluxStore

/// A friend asks how the user looks.
struct PresenceQuestion: WireCodable, Equatable {
    var asker: UserID

    init(asker: UserID) { self.asker = asker }

    func encode(to writer: inout WireWriter) { writer.value(asker) }
    init(from reader: inout WireReader) throws(WireError) { self.init(asker: try reader.value()) }
}
