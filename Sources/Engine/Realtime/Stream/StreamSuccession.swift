import FluxCore
import FluxStore

/// How an owner's stream goes on at a relay that asks for it (design 4): from where the relay stands, from here on, or, when the
/// relay comes from an earlier owner, from what was committed when this owner began. A value without I/O.
package struct StreamSuccession {
    /// The most channels in which a relay is corrected one by one; with more it begins anew.
    package static let maximumCorrections = 500

    /// The owner's epoch.
    package let epoch: Epoch
    /// Where the owner's part of the stream begins.
    package let start: StreamPosition
    /// What was committed by then.
    package let inherited: RelayView

    package init(epoch: Epoch, start: StreamPosition, inherited: RelayView) {
        self.epoch = epoch
        self.start = start
        self.inherited = inherited
    }

    /// Whether a relay at this position has followed an earlier owner, so that what it has shown may have to be corrected.
    package func succeeds(_ position: StreamPosition?) -> Bool {
        guard let position else { return false }
        return position.epoch < epoch && position != .none
    }

    /// How the stream goes on at a relay of this epoch, or a new one, and what of it the relay missed.
    /// - Parameters:
    ///   - last: the last event given out, up to which listeners have seen `view`.
    ///   - emitted: what was given out after a position; nil if that is not held.
    package func continuation(
        after position: StreamPosition?, last: StreamPosition, view: @autoclosure () -> RelayView,
        emitted: (StreamPosition) -> [StreamEvent]?
    ) -> (RelayWelcome.Continuation, replayed: [StreamEvent]) {
        if let position, position.epoch == epoch, position <= last, let missed = emitted(position) {
            return (.goesOn, missed)
        }
        return (.begins(last, view()), [])
    }

    /// The channels of which a relay of an earlier owner has shown something else than what was committed; nil if it has to
    /// begin anew.
    package func channelsToCorrect(in view: RelayView) -> [ChannelID]? {
        // A change of the guild itself is in no log: who missed one begins anew.
        guard view.version == inherited.version else { return nil }
        let channels = Set(view.heads.keys).union(inherited.heads.keys).filter { view.heads[$0] != inherited.heads[$0] }
        return channels.count <= Self.maximumCorrections ? channels.sorted() : nil
    }

    /// What brings a relay to what was committed in a channel.
    /// - Parameters:
    ///   - shown: what it has shown last.
    ///   - page: the channel's events after that, as of now.
    ///   - bodies: those of them that are told, with their kinds and bodies, in order.
    /// - Returns: nil if the page does not hold all of it.
    package func correction(
        of channelID: ChannelID, shown: ChannelHead?, page: ChannelEventPage,
        bodies: [(event: ChannelEvent, kind: EventKind, body: [UInt8])]
    ) -> ChannelCorrection? {
        let last = inherited.heads[channelID]?.sequence ?? 0
        // The log may have gone on under this owner: what it emits itself comes from the stream.
        let inherited = bodies.filter { $0.event.seq <= last }
        guard !page.isTruncated, page.events.count < ChannelEvents.pageLimit || (page.events.last?.seq ?? 0) >= last
        else { return nil }
        return ChannelCorrection(
            channelID: channelID, standsUpTo: page.rolledBackTo ?? shown?.sequence ?? 0,
            missed: inherited.map { entry in
                StreamEvent(
                    kind: entry.kind, body: entry.body, audience: .viewers(of: channelID),
                    intents: entry.kind.guildIntent ?? [],
                    mark: .log(
                        ChannelHead(channelID: channelID, sequence: entry.event.seq, epoch: entry.event.epoch),
                        entry.kind, messageID: nil))
            })
    }
}
