import FluxCore
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

@testable import FluxRealtime

/// Many sessions without sockets, which count what they get and keep which bytes it was.
final class Listeners: Sendable {
    private let node: TestNode
    private let total = Atomic<Int>(0)
    private let readies = Atomic<Int>(0)
    /// The event objects that were delivered, by the id of the message in them.
    private let events = NIOLockedValueBox<[ObjectIdentifier: (event: StreamEvent, count: Int)]>([:])
    private let held = NIOLockedValueBox<[LoopConfined<Ear>]>([])

    private init(node: TestNode) { self.node = node }

    private final class Ear: SessionTransport {
        unowned let all: Listeners
        var handle: (any SessionHandle)?

        init(_ all: Listeners) { self.all = all }

        func deliver(_ event: StreamEvent, sequence: UInt64) { all.took(event) }
        func acknowledge(_ body: [UInt8]) {}
        func reconnect() {}
        func close(_ code: GatewayCloseCode) {}
    }

    private func took(_ event: StreamEvent) {
        switch event.kind {
        case .ready: readies.wrappingAdd(1, ordering: .relaxed)
        case .messageCreate:
            total.wrappingAdd(1, ordering: .relaxed)
            events.withLockedValue { $0[ObjectIdentifier(event), default: (event, 0)].count += 1 }
        default: break
        }
    }

    /// Opens `count` sessions for each of the callers, spread over all loops.
    static func open(_ count: Int, of callers: [Caller], on node: TestNode) async throws -> Listeners {
        let all = Listeners(node: node)
        for number in 0..<count {
            for caller in callers {
                node.mesh.post(to: number % node.mesh.count) {
                    let ear = Ear(all)
                    let confined = LoopConfined(ear)
                    all.held.withLockedValue { $0.append(confined) }
                    node.realtime.identify(
                        IdentifyRequest(intents: .all, largeThreshold: 250, shard: nil, presence: nil),
                        as: GatewayIdentity(userID: caller.userID, isBot: caller.isBot, loginID: nil), over: ear
                    ) { result in ear.handle = try? result.get() }
                }
            }
        }
        while all.readies.load(ordering: .relaxed) < count * callers.count {
            try await Task.sleep(for: .milliseconds(5))
        }
        return all
    }

    /// Messages that were delivered, counted once for each session.
    var deliveries: Int { total.load(ordering: .relaxed) }

    /// How often each message's one event object was delivered.
    var copies: [Int] { events.withLockedValue { $0.values.map(\.count) } }

    func until(deliveries count: Int) async throws {
        while deliveries < count { try await Task.sleep(for: .milliseconds(2)) }
    }
}
