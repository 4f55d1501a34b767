import FluxCluster
import FluxCore

/// What a relay has shown of the durable things in its stream: the head of each channel's log, and the version of the owner's
/// own state. A later owner compares it with what was committed (I5, I6).
package struct RelayView: WireCodable, Equatable {
    package private(set) var heads: [ChannelID: ChannelHead]
    package private(set) var version: UInt64

    package init(heads: [ChannelHead] = [], version: UInt64 = 0) {
        self.heads = Dictionary(heads.map { ($0.channelID, $0) }) { _, later in later }
        self.version = version
    }

    /// An event was shown.
    package mutating func saw(_ mark: StreamMark?) {
        switch mark {
        case .log(let head, _, _)?: heads[head.channelID] = head
        case .version(let version)?: self.version = version
        case nil: break
        }
    }

    package func encode(to writer: inout WireWriter) {
        writer.list(Array(heads.values))
        writer.unsigned(version)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        let heads = try reader.list(of: ChannelHead.self)
        self.init(heads: heads, version: try reader.unsigned())
    }
}
