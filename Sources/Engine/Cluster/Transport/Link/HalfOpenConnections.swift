import Collections
import NIOConcurrencyHelpers
import NIOCore

/// The accepted connections whose handshake is not done, and their bound: one more, and the oldest is closed.
final class HalfOpenConnections: Sendable {
    private let bound: Int
    private let channels = NIOLockedValueBox<OrderedDictionary<ObjectIdentifier, any Channel>>([:])

    init(bound: Int) {
        self.bound = bound
    }

    /// How many there are.
    var count: Int { channels.withLockedValue { $0.count } }

    /// Takes a connection in; gives the one that has to go for it.
    func admit(_ channel: any Channel) -> (any Channel)? {
        channels.withLockedValue { channels in
            channels[ObjectIdentifier(channel)] = channel
            return channels.count > bound ? channels.removeFirst().value : nil
        }
    }

    /// The connection's handshake is done, or it is closed.
    func release(_ channel: any Channel) {
        channels.withLockedValue { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) }
    }
}

/// All open channels of a node's links, so that they can be closed with it.
final class OpenChannels: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isStopped = false
    }

    private let state = NIOLockedValueBox(State())

    /// How many there are.
    var count: Int { state.withLockedValue { $0.channels.count } }

    /// Takes a channel in until it closes; false once everything has been closed.
    func admit(_ channel: any Channel) -> Bool {
        let isAdmitted = state.withLockedValue { state in
            guard !state.isStopped else { return false }
            state.channels[ObjectIdentifier(channel)] = channel
            return true
        }
        guard isAdmitted else { return false }
        channel.closeFuture.whenComplete { _ in
            self.state.withLockedValue { $0.channels[ObjectIdentifier(channel)] = nil }
        }
        return true
    }

    /// Takes no more.
    func stop() -> [any Channel] {
        state.withLockedValue { state in
            state.isStopped = true
            return Array(state.channels.values)
        }
    }
}
