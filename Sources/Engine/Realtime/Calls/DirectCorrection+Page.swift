import FluxCore
import FluxStore

extension DirectCorrection {
    /// What a page of the log comes to, which was read when all that was live was final.
    /// - Parameters:
    ///   - page: what happened after the entry that the recipient was shown last, at most `ChannelEvents.pageLimit` events.
    ///   - bodies: those of it that are told, with their kinds and bodies, in order.
    ///   - epoch: of the owner that answers.
    ///   - opening: the `d` of the CHANNEL_CREATE that the recipient may need.
    package init(
        of channelID: ChannelID, page: ChannelEventPage,
        bodies: [(event: ChannelEvent, kind: EventKind, body: [UInt8])],
        epoch: Epoch, opening: [UInt8]
    ) {
        let isComplete = page.events.count < ChannelEvents.pageLimit
        var end = DirectHead(
            lastMessageID: page.head.lastMessageID, lastSequence: page.head.seq, epoch: page.head.epoch)
        if !isComplete, let last = page.events.last { (end.lastSequence, end.epoch) = (last.seq, last.epoch) }
        let missed = bodies.map { entry in
            DirectEvent(
                channelID: channelID, kind: entry.kind, body: entry.body,
                opening: entry.kind == .messageCreate ? opening : [],
                head: DirectHead(
                    lastMessageID: end.lastMessageID, lastSequence: entry.event.seq, epoch: entry.event.epoch),
                isLogged: true)
        }
        self.init(
            channelID: channelID, standsUpTo: page.rolledBackTo, missed: missed, head: end, epoch: epoch,
            isComplete: isComplete, isTruncated: page.isTruncated)
    }
}
