import FluxCluster
import FluxCore

/// The owner's answer: how the stream goes on at a relay. The events themselves come on their own way, in order.
package struct RelayWelcome: WireCodable, Equatable {
    package enum Continuation: Equatable {
        /// Everything after the relay's position follows.
        case goesOn
        /// The stream follows from this position. What happened before it is not known here: who listened already has
        /// missed it.
        case begins(StreamPosition, RelayView)
        /// The former owner is gone. With these corrections the relay has shown exactly what was committed, as `view` says, and
        /// the stream follows from the position, which is the first of the new epoch.
        case succeeds(StreamPosition, RelayView, [ChannelCorrection])
    }

    /// The node that the stream comes from.
    package var owner: NodeID
    package var continuation: Continuation

    package init(owner: NodeID, continuation: Continuation) {
        self.owner = owner
        self.continuation = continuation
    }

    package func encode(to writer: inout WireWriter) {
        writer.value(owner)
        switch continuation {
        case .goesOn: writer.byte(1)
        case .begins(let position, let view):
            writer.byte(2)
            writer.value(position)
            writer.value(view)
        case .succeeds(let position, let view, let corrections):
            writer.byte(3)
            writer.value(position)
            writer.value(view)
            writer.list(corrections)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        owner = try reader.value()
        switch try reader.byte() {
        case 1: continuation = .goesOn
        case 2: continuation = .begins(try reader.value(), try reader.value())
        case 3: continuation = .succeeds(try reader.value(), try reader.value(), try reader.list())
        case let other: throw .unknownCase(UInt64(other))
        }
    }
}
