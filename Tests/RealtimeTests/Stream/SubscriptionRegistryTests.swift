import FluxCore
import Testing

@testable import FluxRealtime

/// One loop's subscribers: what was gathered before a subscription became live is passed on exactly as it would have been live.
@Suite struct SubscriptionRegistryTests {
    private final class Subscriber: StreamSubscriber {
        let userID: UserID
        var received: [UInt64] = []
        var isEnded = false
        var isInDoubt = false
        var isBroken = false
        var onEnd: () -> Void = {}

        init(_ id: UInt64) { userID = UserID(id) }

        func receive(_ event: StreamEvent) { received.append(event.position.number) }
        func subscriptionEnded(_ key: StreamKey, isInDoubt: Bool) {
            isEnded = true
            self.isInDoubt = isInDoubt
            onEnd()
        }
        func perform(_ control: StreamControl) {}
        func subscriptionBroken(_ key: StreamKey) { isBroken = true }
    }

    private static let key = StreamKey.guild(GuildID(7))
    private static let channel = ChannelID(70)
    private let visibility = ChannelVisibility([SubscriptionRegistryTests.channel])

    private func event(_ number: UInt64, control: StreamControl? = nil) -> StreamEvent {
        StreamEvent(
            position: StreamPosition(epoch: 1, number: number), kind: .messageCreate, body: [],
            audience: control == nil ? .viewers(of: Self.channel) : .nobody, control: control)
    }

    @Test func nothingFollowsARemovalThatWasGatheredBeforeTheSnapshot() {
        let registry = SubscriptionRegistry()
        let other = Subscriber(1)
        let (stays, _) = registry.register(other, to: Self.key)
        registry.becomeLive(stays, at: .none, visibility: visibility)
        let member = Subscriber(2)
        let (subscription, isFirst) = registry.register(member, to: Self.key)
        #expect(!isFirst)
        member.onEnd = { _ = registry.remove(subscription) }
        registry.deliver(event(1), of: Self.key)
        registry.deliver(event(2, control: .memberRemoved(member.userID)), of: Self.key)
        registry.deliver(event(3), of: Self.key)
        registry.becomeLive(subscription, at: .none, visibility: visibility)
        registry.deliver(event(4), of: Self.key)
        #expect(member.received == [1, 2])
        #expect(member.isEnded)
        #expect(registry.position(of: subscription) == nil)
        #expect(other.received == [1, 3, 4])
    }

    /// A relay corrects its listeners by what it has shown itself. Who has seen more cannot follow that.
    @Test func whoIsAheadOfARelayThatIsSucceededCannotGoOn() {
        let registry = SubscriptionRegistry()
        func subscribe(_ id: UInt64) -> (Subscriber, Subscription) {
            let subscriber = Subscriber(id)
            return (subscriber, registry.register(subscriber, to: Self.key).subscription)
        }
        let (level, levelPlace) = subscribe(1)
        let (ahead, aheadPlace) = subscribe(2)
        let (fresh, freshPlace) = subscribe(3)
        let (late, latePlace) = subscribe(4)
        let (lateAhead, lateAheadPlace) = subscribe(5)
        let start = StreamPosition(epoch: 2, number: 1)
        registry.becomeLive(levelPlace, at: event(3).position, visibility: visibility)
        registry.becomeLive(aheadPlace, at: event(5).position, visibility: visibility)
        registry.becomeLive(freshPlace, at: start, visibility: visibility)
        registry.deliver(event(3), of: Self.key)
        let succession = Relay.Succession(from: event(3).position, corrections: [event(4), event(5)], start: start)
        registry.succeed(Self.key, succession)
        #expect(level.received == [4, 5] && !level.isBroken)
        #expect(ahead.isBroken)
        #expect(fresh.received == [] && !fresh.isBroken)
        registry.becomeLive(latePlace, at: event(3).position, visibility: visibility)
        registry.becomeLive(lateAheadPlace, at: event(4).position, visibility: visibility)
        #expect(late.received == [4, 5] && !late.isBroken)
        #expect(lateAhead.isBroken)
        // All that go on stand where the new owner begins.
        for place in [levelPlace, freshPlace, latePlace] { #expect(registry.position(of: place) == start) }
    }

    @Test func nothingFollowsARemovalThatASessionMissedWhileItMoved() {
        let registry = SubscriptionRegistry()
        let other = Subscriber(1)
        let (stays, _) = registry.register(other, to: Self.key)
        registry.becomeLive(stays, at: .none, visibility: visibility)
        let member = Subscriber(2)
        let (subscription, _) = registry.register(member, to: Self.key)
        member.onEnd = { _ = registry.remove(subscription) }
        subscription.continuesFrom = StreamPosition(epoch: 1, number: 4)
        #expect(registry.position(of: subscription) == StreamPosition(epoch: 1, number: 4))
        registry.deliver(event(8), of: Self.key)
        let missed = [event(5), event(6, control: .memberRemoved(member.userID)), event(7), event(8)]
        registry.replay(
            missed, to: subscription, from: StreamPosition(epoch: 1, number: 4), visibility: visibility)
        registry.deliver(event(9), of: Self.key)
        #expect(member.received == [5, 6])
        #expect(other.received == [8, 9])
    }

    /// An owner that has lost the stream and does not know it may have given a snapshot that is older than what its member knows.
    @Test(arguments: [Epoch(1), 2]) func aRemovalByALaterOwnerThanTheSnapshotsIsInDoubt(epoch: Epoch) {
        let registry = SubscriptionRegistry()
        let live = Subscriber(1)
        let ahead = Subscriber(2)
        let moved = Subscriber(3)
        let subscriptions = [live, ahead, moved].map { registry.register($0, to: Self.key).subscription }
        registry.becomeLive(subscriptions[0], at: .none, visibility: visibility)
        registry.deliver(event(1), of: Self.key)
        registry.replay([], to: subscriptions[2], from: event(1).position, visibility: visibility)
        registry.becomeLive(subscriptions[1], at: event(2).position, visibility: visibility)
        subscriptions[0].snapshotEpoch = 1
        for member in [live, ahead, moved] {
            let removal = StreamEvent(
                position: StreamPosition(epoch: epoch, number: 3), kind: .guildDelete, body: [], audience: .nobody,
                control: .memberRemoved(member.userID))
            registry.deliver(removal, of: Self.key)
            #expect(member.isEnded && member.isInDoubt == (epoch > 1))
        }
    }

    @Test func aBufferThatOverflowsEndsThatSubscriptionAlone() {
        let registry = SubscriptionRegistry()
        let other = Subscriber(1)
        let (stays, _) = registry.register(other, to: Self.key)
        registry.becomeLive(stays, at: .none, visibility: visibility)
        let late = Subscriber(2)
        let (subscription, _) = registry.register(late, to: Self.key)
        for number in 1...UInt64(Subscription.maximumBuffered) { registry.deliver(event(number), of: Self.key) }
        #expect(!late.isBroken)
        registry.deliver(event(UInt64(Subscription.maximumBuffered) + 1), of: Self.key)
        #expect(late.isBroken)
        _ = registry.remove(subscription)
        registry.becomeLive(subscription, at: .none, visibility: visibility)
        #expect(late.received.isEmpty)
        #expect(other.received.count == Subscription.maximumBuffered + 1)
    }

    @Test func ringsOfStreamsAreBoundedAndSayFromWhereNothingIsMissing() {
        var ring = EventRing(start: .none, maximumCount: 10, maximumCost: 1 << 20)
        for number in 1...25 as ClosedRange<UInt64> { ring.append(event(number)) }
        #expect(ring.events.count == 10)
        #expect(ring.events(after: StreamPosition(epoch: 1, number: 14)) == nil)
        #expect(ring.events(after: StreamPosition(epoch: 1, number: 15))?.map(\.position.number) == Array(16...25))
        ring.halve()
        #expect(ring.events(after: StreamPosition(epoch: 1, number: 19)) == nil)
        #expect(ring.events(after: StreamPosition(epoch: 1, number: 20))?.count == 5)
        var small = EventRing(start: .none, maximumCount: 1000, maximumCost: 500)
        for number in 1...25 as ClosedRange<UInt64> { small.append(event(number)) }
        #expect(small.cost <= 500 && !small.events.isEmpty)
    }
}
