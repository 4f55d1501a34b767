import FluxCluster
import FluxCore

/// Where a stream stands at its owner's.
package struct StreamHead: WireCodable, Equatable {
    package var key: StreamKey
    package var position: StreamPosition

    package init(key: StreamKey, position: StreamPosition) {
        self.key = key
        self.position = position
    }

    package func encode(to writer: inout WireWriter) {
        writer.value(key)
        writer.value(position)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(key: try reader.value(), position: try reader.value())
    }
}
