import FluxCore

/// What receives the events of streams on one loop: a session.
package protocol StreamSubscriber: AnyObject {
    var userID: UserID { get }
    /// An event for this subscriber, in stream order.
    func receive(_ event: StreamEvent)
    /// The subscription is over: the member was removed or the stream ended.
    /// - Parameter isInDoubt: a later owner says that the member was removed than the one that gave the snapshot. That one may have lost
    ///   the stream and not known it: what the subscriber knows from elsewhere may be newer than the removal.
    func subscriptionEnded(_ key: StreamKey, isInDoubt: Bool)
    /// A control that the session itself acts on.
    func perform(_ control: StreamControl)
    /// Events were lost, or more than the bound gathered before the snapshot came: the session cannot go on (I6).
    func subscriptionBroken(_ key: StreamKey)
}

/// One subscriber's place in one stream on one loop. Follows "register first, buffer, take the snapshot with its position,
/// drop what is at or before it" (design 4).
package final class Subscription {
    package enum Phase {
        /// Registered; events gather until the snapshot, or the replay of a session that moved, is here.
        case buffering([StreamEvent])
        /// The snapshot is newer than what has reached this loop: events up to the position are part of it already.
        case ahead(of: StreamPosition)
        /// Every event that reaches the loop is passed on.
        case live
        /// Removed: nothing is passed on any more, whatever was gathered before.
        case ended
    }

    /// How many events may gather before the snapshot is here.
    package static let maximumBuffered = 8192

    /// Held strongly, for speed; the cycle ends when the subscription is removed from the registry.
    package let subscriber: any StreamSubscriber
    package let key: StreamKey
    package var phase: Phase = .buffering([])
    package var visibility: ChannelVisibility?
    /// The epoch of the owner that gave the snapshot; of a session that moved, of the place from which it goes on.
    package var snapshotEpoch: Epoch = 0
    /// Where the subscription goes on, while it waits for what the relay holds: its session has moved to this loop.
    package var continuesFrom: StreamPosition?
    /// The group that holds this subscription while it is live, and where in it.
    package var group: SubscriberGroup?
    package var indexInGroup = 0

    package init(subscriber: any StreamSubscriber, key: StreamKey) {
        self.subscriber = subscriber
        self.key = key
    }
}

/// The live subscribers of a stream on one loop that may view the same channels.
package final class SubscriberGroup {
    package let visibility: ChannelVisibility?
    package private(set) var members: ContiguousArray<Subscription> = []

    package init(visibility: ChannelVisibility?) { self.visibility = visibility }

    package func add(_ subscription: Subscription) {
        subscription.group = self
        subscription.indexInGroup = members.count
        members.append(subscription)
    }

    /// Removes in constant time; the order among subscribers means nothing.
    package func remove(_ subscription: Subscription) {
        precondition(subscription.group === self, "a subscription is removed from a group that does not hold it")
        let index = subscription.indexInGroup
        let last = members.removeLast()
        if last !== subscription {
            members[index] = last
            last.indexInGroup = index
        }
        subscription.group = nil
    }
}
