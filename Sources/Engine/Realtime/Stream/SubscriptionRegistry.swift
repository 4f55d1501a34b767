import FluxCore

/// One loop's subscribers of every stream (design 7): an event reaches the loop once and is handed to each subscriber here,
/// without a hop, a task or an allocation per subscriber. Confined to its loop.
package final class SubscriptionRegistry {
    private final class StreamSubscribers {
        /// The last event that reached this loop.
        var position: StreamPosition
        /// Where the last change of owners was: how far the relay had come, and where the new owner's part begins.
        var succession: (from: StreamPosition, start: StreamPosition)?
        var groups: [SubscriberGroup] = []
        /// Those that are not live yet.
        var waiting: [Subscription] = []
        var byUser: [UserID: [Subscription]] = [:]

        init(position: StreamPosition) { self.position = position }

        var isEmpty: Bool { byUser.isEmpty }

        func group(of visibility: ChannelVisibility?) -> SubscriberGroup {
            if let group = groups.first(where: { $0.visibility == visibility }) { return group }
            let group = SubscriberGroup(visibility: visibility)
            groups.append(group)
            return group
        }

        func leaveGroup(_ subscription: Subscription) {
            guard let group = subscription.group else { return }
            group.remove(subscription)
            if group.members.isEmpty { groups.removeAll { $0 === group } }
        }
    }

    private var streams: [StreamKey: StreamSubscribers] = [:]
    /// How many times an event was handed to a subscriber.
    package private(set) var deliveries: UInt64 = 0

    package init() {}

    /// Registers a subscriber; its events are buffered until `becomeLive` or `replay`.
    /// - Returns: the subscription, and whether it is the first of the stream on this loop.
    package func register(_ subscriber: any StreamSubscriber, to key: StreamKey) -> (
        subscription: Subscription, isFirst: Bool
    ) {
        let subscription = Subscription(subscriber: subscriber, key: key)
        let isFirst = streams[key] == nil
        let stream = streams[key] ?? StreamSubscribers(position: .none)
        streams[key] = stream
        stream.waiting.append(subscription)
        stream.byUser[subscriber.userID, default: []].append(subscription)
        return (subscription, isFirst)
    }

    /// Ends a subscription. - Returns: whether it was the stream's last on this loop.
    package func remove(_ subscription: Subscription) -> Bool {
        guard let stream = streams[subscription.key] else { return false }
        let user = subscription.subscriber.userID
        guard var own = stream.byUser[user], let index = own.firstIndex(where: { $0 === subscription }) else {
            return false
        }
        own.remove(at: index)
        stream.byUser[user] = own.isEmpty ? nil : own
        stream.leaveGroup(subscription)
        stream.waiting.removeAll { $0 === subscription }
        subscription.phase = .ended
        if stream.isEmpty { streams[subscription.key] = nil }
        return stream.isEmpty
    }

    /// The snapshot of a registered subscription is here: passes on what came after it and lets the rest follow.
    /// - Parameters:
    ///   - position: where in the stream the snapshot was taken.
    ///   - visibility: the channels the member may view at that point; nil for a user's stream.
    package func becomeLive(_ subscription: Subscription, at position: StreamPosition, visibility: ChannelVisibility?) {
        guard case .buffering(let buffered) = subscription.phase, let stream = streams[subscription.key] else { return }
        subscription.visibility = visibility
        subscription.snapshotEpoch = position.epoch
        subscription.phase = .ahead(of: position)
        if let (from, start) = stream.succession, position > from, position.epoch < start.epoch {
            return subscription.subscriber.subscriptionBroken(subscription.key)
        }
        for event in buffered { offer(event, to: subscription, in: stream) }
        settle(subscription, in: stream)
    }

    /// As `becomeLive` for a session that moved to this loop: `events` are those after its position that the relay held.
    package func replay(
        _ events: [StreamEvent], to subscription: Subscription, from position: StreamPosition,
        visibility: ChannelVisibility?
    ) {
        guard case .buffering(let buffered) = subscription.phase, let stream = streams[subscription.key] else { return }
        subscription.visibility = visibility
        subscription.snapshotEpoch = position.epoch
        subscription.continuesFrom = nil
        subscription.phase = .ahead(of: position)
        for event in events { offer(event, to: subscription, in: stream) }
        if let last = events.last, case .ahead = subscription.phase { subscription.phase = .ahead(of: last.position) }
        for event in buffered { offer(event, to: subscription, in: stream) }
        settle(subscription, in: stream)
    }

    /// Where a subscription stands: every event up to here has been passed on or was part of the snapshot. Nil while the
    /// snapshot is awaited.
    package func position(of subscription: Subscription) -> StreamPosition? {
        switch subscription.phase {
        case .buffering: subscription.continuesFrom
        case .ended: nil
        case .ahead(let position): position
        case .live: streams[subscription.key]?.position
        }
    }

    /// A new owner of the stream goes on.
    ///
    /// Who is ahead of the relay has seen from elsewhere what the corrections may say again, or take back: it cannot go on.
    package func succeed(_ key: StreamKey, _ succession: Relay.Succession) {
        guard let stream = streams[key] else { return }
        stream.succession = (succession.from, succession.start)
        for subscription in stream.waiting {
            guard case .ahead(let position) = subscription.phase, position > succession.from,
                position.epoch < succession.start.epoch
            else { continue }
            subscription.subscriber.subscriptionBroken(key)
        }
        for event in succession.corrections { deliver(event, of: key) }
        stream.position = max(stream.position, succession.start)
        settleWaiting(in: stream)
    }

    /// Hands one event to every subscriber of its stream on this loop that it is for.
    package func deliver(_ event: StreamEvent, of key: StreamKey) {
        guard let stream = streams[key] else { return }
        stream.position = event.position
        for subscription in stream.waiting { offer(event, to: subscription, in: stream) }
        defer { settleWaiting(in: stream) }
        if let control = event.control {
            perform(control, with: event, in: stream)
            return
        }
        switch event.audience {
        case .everyone:
            for group in stream.groups { handOut(event, to: group) }
        case .viewers(let channel):
            for group in stream.groups where group.visibility?.contains(channel) ?? true { handOut(event, to: group) }
        case .users(let users):
            for user in users {
                for subscription in stream.byUser[user] ?? [] where subscription.group != nil {
                    deliveries += 1
                    subscription.subscriber.receive(event)
                }
            }
        case .nobody:
            break
        }
    }

    /// Whose sessions on this loop listen to the stream, each session once.
    package func users(of key: StreamKey) -> [UserID] {
        (streams[key]?.byUser ?? [:]).flatMap { user, own in Array(repeating: user, count: own.count) }
    }

    /// Who on this loop listens to the stream.
    package func subscribers(of key: StreamKey) -> [any StreamSubscriber] {
        streams[key]?.byUser.values.joined().map(\.subscriber) ?? []
    }

    /// Events of the stream were lost on their way to this node: no session on it may go on as if nothing had been (I6).
    package func breakStream(_ key: StreamKey) {
        guard let stream = streams[key] else { return }
        for subscription in stream.byUser.values.joined() { subscription.subscriber.subscriptionBroken(key) }
    }

    private func handOut(_ event: StreamEvent, to group: SubscriberGroup) {
        deliveries += UInt64(group.members.count)
        for subscription in group.members { subscription.subscriber.receive(event) }
    }

    /// An event for a subscription that is not live.
    private func offer(_ event: StreamEvent, to subscription: Subscription, in stream: StreamSubscribers) {
        switch subscription.phase {
        case .buffering(var buffered):
            subscription.phase = .buffering([])
            guard buffered.count < Subscription.maximumBuffered else {
                subscription.subscriber.subscriptionBroken(subscription.key)
                return
            }
            buffered.append(event)
            subscription.phase = .buffering(buffered)
        case .ahead(let position):
            guard event.position > position else { return }
            subscription.phase = .ahead(of: event.position)
            pass(event, to: subscription, in: stream)
        case .live, .ended:
            break
        }
    }

    /// Makes a subscription live once the loop has reached its position.
    private func settle(_ subscription: Subscription, in stream: StreamSubscribers) {
        guard case .ahead(let position) = subscription.phase, stream.position >= position else { return }
        goLive(subscription, in: stream)
        stream.waiting.removeAll { $0 === subscription }
    }

    private func settleWaiting(in stream: StreamSubscribers) {
        guard !stream.waiting.isEmpty else { return }
        for subscription in stream.waiting { settle(subscription, in: stream) }
    }

    private func goLive(_ subscription: Subscription, in stream: StreamSubscribers) {
        subscription.phase = .live
        let group = stream.group(of: subscription.visibility)
        // One object for all who see the same, wherever each has it from.
        subscription.visibility = group.visibility
        group.add(subscription)
    }

    /// One event to one subscription that stands outside the groups.
    private func pass(_ event: StreamEvent, to subscription: Subscription, in stream: StreamSubscribers) {
        let subscriber = subscription.subscriber
        switch event.control {
        case .access(let changes)?:
            for change in changes where change.userID == subscriber.userID {
                apply(change, to: subscription, in: stream)
            }
        case .memberRemoved(let user)?:
            if user == subscriber.userID { end(subscription, with: event) } else { passPlain(event, to: subscription) }
        case .streamEnded?:
            end(subscription, with: event)
        case let control?:
            subscriber.perform(control)
        case nil:
            passPlain(event, to: subscription)
        }
    }

    private func passPlain(_ event: StreamEvent, to subscription: Subscription) {
        let isFor =
            switch event.audience {
            case .everyone: true
            case .viewers(let channel): subscription.visibility?.contains(channel) ?? true
            case .users(let users): users.contains(subscription.subscriber.userID)
            case .nobody: false
            }
        guard isFor else { return }
        deliveries += 1
        subscription.subscriber.receive(event)
    }

    private func perform(_ control: StreamControl, with event: StreamEvent, in stream: StreamSubscribers) {
        switch control {
        case .access(let changes):
            for change in changes {
                for subscription in stream.byUser[change.userID] ?? [] where subscription.group != nil {
                    stream.leaveGroup(subscription)
                    apply(change, to: subscription, in: stream)
                    stream.group(of: subscription.visibility).add(subscription)
                }
            }
        case .memberRemoved(let user):
            for subscription in stream.byUser[user] ?? [] where subscription.group != nil {
                end(subscription, with: event)
            }
        case .streamEnded:
            for subscription in stream.byUser.values.joined() where subscription.group != nil {
                end(subscription, with: event)
            }
        case .guildJoined, .guildLeft, .loginEnded, .credentialsRevoked, .broken:
            for subscription in stream.byUser.values.joined() where subscription.group != nil {
                subscription.subscriber.perform(control)
            }
        }
    }

    private func apply(_ change: AccessChange, to subscription: Subscription, in stream: StreamSubscribers) {
        subscription.visibility = change.visibility
        for event in change.hidden { subscription.subscriber.receive(event) }
        for event in change.revealed { subscription.subscriber.receive(event) }
    }

    private func end(_ subscription: Subscription, with event: StreamEvent) {
        deliveries += 1
        subscription.subscriber.receive(event)
        var isRemoval = false
        if case .memberRemoved? = event.control { isRemoval = true }
        subscription.subscriber.subscriptionEnded(
            subscription.key, isInDoubt: isRemoval && event.position.epoch > subscription.snapshotEpoch)
    }
}
