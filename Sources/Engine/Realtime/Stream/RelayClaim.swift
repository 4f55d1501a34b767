import FluxCluster
import FluxCore

/// A node holds that it is sent a stream, by this registration.
package struct RelayClaim: WireCodable, Equatable {
    package var key: StreamKey
    package var registration: UInt64

    package init(key: StreamKey, registration: UInt64) {
        self.key = key
        self.registration = registration
    }

    package func encode(to writer: inout WireWriter) {
        writer.value(key)
        writer.unsigned(registration)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(key: try reader.value(), registration: try reader.unsigned())
    }
}
