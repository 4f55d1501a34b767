import FluxCluster
import FluxCore

/// A node holds that it is sent a stream, by this registration, and that it has all of it up to a position.
package struct RelayClaim: WireCodable, Equatable {
    package var key: StreamKey
    package var registration: UInt64
    package var position: StreamPosition

    package init(key: StreamKey, registration: UInt64, position: StreamPosition) {
        self.key = key
        self.registration = registration
        self.position = position
    }

    package func encode(to writer: inout WireWriter) {
        writer.value(key)
        writer.unsigned(registration)
        writer.value(position)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(key: try reader.value(), registration: try reader.unsigned(), position: try reader.value())
    }
}
