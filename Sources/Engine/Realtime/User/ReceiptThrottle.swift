import FluxCore
import FluxStore

/// Lets through at most one read receipt a second and channel; of several the latest is sent (protocol 10.3). A value.
///
/// Bounded by the number of DMs of one user: a channel that is quiet for a second is forgotten.
struct ReceiptThrottle: Sendable {
    /// A receipt on its way to the other people of a DM.
    struct Outgoing: Sendable, Equatable {
        var receipt: Receipt
        var recipients: [UserID]
    }

    /// Seconds between two receipts in one channel.
    static let interval: Int64 = 1

    private struct Entry {
        /// When the next one may go.
        var opensAt: Timestamp
        var waiting: Outgoing?
    }

    private var channels: [ChannelID: Entry] = [:]

    /// Takes a receipt in; `take` gives it out when it may go.
    mutating func offer(_ outgoing: Outgoing) {
        let channelID = outgoing.receipt.channelID
        channels[channelID, default: Entry(opensAt: Timestamp(microseconds: .min))].waiting = outgoing
    }

    /// The receipts that may go now, in no particular order.
    mutating func take(at now: Timestamp) -> [Outgoing] {
        var due: [Outgoing] = []
        for (channelID, entry) in channels where entry.opensAt <= now {
            guard let waiting = entry.waiting else {
                channels[channelID] = nil
                continue
            }
            due.append(waiting)
            channels[channelID] = Entry(opensAt: now.adding(seconds: Self.interval), waiting: nil)
        }
        return due
    }

    /// When `take` is to be asked again; nil while nothing waits.
    var nextOpening: Timestamp? { channels.values.filter { $0.waiting != nil }.map(\.opensAt).min() }

    /// Forgets what waits: the user does not want to let others know any more.
    mutating func withdraw() { channels = channels.mapValues { Entry(opensAt: $0.opensAt, waiting: nil) } }
}
