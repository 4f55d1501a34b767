import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore

/// How a client asks channels for what it has missed.
extension ChatClient {
    func catchUp(_ channel: ChannelID, _ view: View) {
        let (head, userID) = (view.head, userID)
        ask(of: channel) { owner, respond in
            owner.events(
                after: head.sequence, epoch: head.epoch, limit: ChannelEvents.pageLimit, for: userID, respond)
        } _: { client, page in
            // It may have gone out of view meanwhile, or been asked twice.
            guard client.views[channel] === view, view.waiting != nil else { return }
            if let page { return client.caughtUp(channel, view, page) }
            client.ask(channel, view, after: .milliseconds(500))
        }
    }

    private func caughtUp(_ channel: ChannelID, _ view: View, _ page: ChannelEventPage) {
        if let point = page.rolledBackTo {
            while let last = view.applied.last, last.sequence > point { undo(channel) }
            // What was known before the first event may be over, too.
            if let base = view.base, base.sequence > point {
                let epoch = world.messages.epoch(of: point, in: channel)
                view.base = (point, epoch)
                view.start = (point, epoch)
                view.head = (point, epoch)
            }
        }
        for entry in page.told {
            guard let number = Ledger.number(in: entry.body) else { continue }
            checkMayRead(number, of: channel)
            show(entry.event.seq, entry.event.epoch, entry.kind, number, channel, view)
        }
        if page.events.count >= ChannelEvents.pageLimit { return catchUp(channel, view) }
        // A stream may be behind what was known before: of a user by a new owner, of a guild by one that is over.
        view.asked = view.head
        drain(channel, view)
    }

    /// Shows what came while the channel was asked.
    func drain(_ channel: ChannelID, _ view: View) {
        var waiting = (view.waiting ?? [])[...]
        while let event = waiting.first {
            if case .log(let head, _, _)? = event.mark {
                let last = view.head
                // What the session began with was not final when the channel was asked: it is asked again.
                if !view.hasBeenTold(head), head.sequence > last.sequence + 1,
                    !areVoids(last.sequence + 1..<head.sequence, in: channel)
                {
                    view.waiting = Array(waiting)
                    return ask(channel, view, after: .milliseconds(200))
                }
            }
            waiting.removeFirst()
            apply(event, channel, view)
        }
        view.waiting = nil
    }

    private func areVoids(_ numbers: Range<SequenceNumber>, in channel: ChannelID) -> Bool {
        numbers.allSatisfy { world.messages.isVoid($0, in: channel) }
    }
}
