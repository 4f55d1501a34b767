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

/// The owner's answer: how the stream goes on at a relay. The events themselves come on their own way, in order.
package struct RelayWelcome: WireCodable {
    package enum Continuation {
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

/// What a relay has to take back of one channel, and what it missed (I5, I6).
package struct ChannelCorrection: WireCodable {
    package var channelID: ChannelID
    /// Of what the relay showed, only numbers up to this one stand.
    package var standsUpTo: SequenceNumber
    /// What was committed after that, in order, marked as entries of the log.
    package var missed: [StreamEvent]

    package init(channelID: ChannelID, standsUpTo: SequenceNumber, missed: [StreamEvent]) {
        self.channelID = channelID
        self.standsUpTo = standsUpTo
        self.missed = missed
    }

    package func encode(to writer: inout WireWriter) {
        writer.value(channelID)
        writer.signed(standsUpTo)
        writer.list(missed.map(WireStreamEvent.init))
    }

    package init(from reader: inout WireReader) throws(WireError) {
        let channelID = try reader.value(ChannelID.self)
        let standsUpTo: SequenceNumber = try reader.signed()
        self.init(
            channelID: channelID, standsUpTo: standsUpTo,
            missed: try reader.list(of: WireStreamEvent.self).map(\.event))
    }
}
