import FluxCluster
import FluxCore

/// Op 100 on its way to the channel. Carries a nonce, so that it may be sent again.
struct SendRequest: Repeatable, Equatable {
    var caller: Caller
    /// The `d` of op 100; the channel reads it after it has checked the caller's rights.
    var body: JSON

    var isRepeatable: Bool { true }

    init(caller: Caller, body: JSON) {
        self.caller = caller
        self.body = body
    }

    func encode(to writer: inout WireWriter) {
        writer.value(caller)
        writer.value(body)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(caller: try reader.value(), body: try reader.value())
    }
}

/// A message that is durable.
struct Sent: WireCodable, Equatable {
    var id: MessageID
    var sequence: SequenceNumber
    var epoch: Epoch

    init(id: MessageID, sequence: SequenceNumber, epoch: Epoch) {
        self.id = id
        self.sequence = sequence
        self.epoch = epoch
    }

    func encode(to writer: inout WireWriter) {
        writer.value(id)
        writer.signed(sequence)
        writer.signed(epoch)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(id: try reader.value(), sequence: try reader.signed(), epoch: try reader.signed())
    }
}
