import FluxCluster
import FluxCore

/// What a relay has to take back of one channel, and what it missed (I5, I6).
package struct ChannelCorrection: WireCodable, Equatable {
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
