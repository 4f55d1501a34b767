import FluxCluster
import FluxCore

/// A node's relay asks the owner of a stream to be sent it, from where it stands (design 4).
package struct RelayRegistration: WireCodable, Equatable {
    package var node: NodeID
    /// Which of the node's registrations for this stream it is; an end of an earlier one means nothing to it.
    package var number: UInt64
    /// The last event that the relay passed on; nil for a new relay.
    package var position: StreamPosition?
    /// What it has shown; empty for a new relay.
    package var view: RelayView
    /// Whose sessions listen to it there, each session once.
    package var listeners: [UserID]

    package init(node: NodeID, number: UInt64, position: StreamPosition?, view: RelayView, listeners: [UserID]) {
        self.node = node
        self.number = number
        self.position = position
        self.view = view
        self.listeners = listeners
    }

    package func encode(to writer: inout WireWriter) {
        writer.value(node)
        writer.unsigned(number)
        writer.optional(position)
        writer.value(view)
        writer.list(listeners)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            node: try reader.value(), number: try reader.unsigned(), position: try reader.optional(),
            view: try reader.value(), listeners: try reader.list())
    }
}
