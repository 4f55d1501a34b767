import FluxFuzzing
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import FluxCluster

@Suite struct LinkFlowTests {
    @Test func creditIsNeverLostAndNeverExceeded() {
        var random = SeededGenerator(seed: 5)
        var sender = SendCredit(window: 10_000)
        var receiver = ReceiveCredit(window: 10_000, overdraft: 3_000)
        var onTheWay: [Int] = []
        var waiting: [Int] = []
        for _ in 0..<FuzzBudget.inputs {
            switch Int.random(in: 0...2, using: &random) {
            case 0 where sender.maySend:
                let size = Int.random(in: 5...3_000, using: &random)
                sender.spend(size)
                onTheWay.append(size)
            case 1 where !onTheWay.isEmpty:
                let size = onTheWay.removeFirst()
                guard receiver.received(size) else {
                    Issue.record("a sender that kept to its credit was refused")
                    return
                }
                waiting.append(size)
            case 2 where !waiting.isEmpty:
                receiver.consumed(waiting.removeFirst())
                if let grant = receiver.grant() {
                    guard sender.granted(grant) else {
                        Issue.record("an honest grant was refused")
                        return
                    }
                }
            default: continue
            }
            guard sender.inFlight <= 13_000 else {
                Issue.record("\(sender.inFlight) bytes in flight")
                return
            }
        }
        // Everything used up: the sender may go on.
        for size in onTheWay where receiver.received(size) { waiting.append(size) }
        for size in waiting { receiver.consumed(size) }
        if let grant = receiver.grant() { #expect(sender.granted(grant) == true) }
        #expect(sender.available > 10_000 * 7 / 8 - 1)
    }

    @Test func whoOverdrawsOrGivesTooMuchIsNoticed() {
        var receiver = ReceiveCredit(window: 100, overdraft: 60)
        #expect(receiver.received(60) == true)
        #expect(receiver.received(60) == true)
        #expect(receiver.received(1) == false)
        var other = ReceiveCredit(window: 100, overdraft: 60)
        #expect(other.received(61) == false)
        var sender = SendCredit(window: 100)
        sender.spend(50)
        #expect(sender.granted(51) == false)
        #expect(sender.granted(.max) == false)
        #expect(sender.granted(50) == true)
        #expect(sender.granted(1) == false)
        #expect(!SendCredit(window: 0).maySend)
        #expect(SendCredit(window: .max).maySend)
    }

    @Test func silenceIsLossButNotOnesOwn() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        func at(_ milliseconds: Int64) -> NIODeadline { start + .milliseconds(milliseconds) }
        var pulse = LinkPulse(interval: .seconds(1), silence: .seconds(4), now: start)
        #expect(pulse.tick(at: at(1_000)) == .ping(1))
        #expect(pulse.tick(at: at(2_000)) == .ping(2))
        #expect(pulse.answered(1, at: at(2_010)) == nil)
        #expect(pulse.answered(2, at: at(2_010)) == .milliseconds(10))
        #expect(pulse.answered(2, at: at(2_020)) == nil)
        pulse.heard(at: at(2_500))
        for second in Int64(3)...6 {
            #expect(pulse.tick(at: at(second * 1_000)) == .ping(UInt64(second)))
        }
        #expect(pulse.tick(at: at(7_000)) == .lost)
        // This process stood still for ten seconds: the peer gets its chance.
        var paused = LinkPulse(interval: .seconds(1), silence: .seconds(4), now: start)
        #expect(paused.tick(at: at(1_000)) == .ping(1))
        #expect(paused.tick(at: at(11_000)) == .ping(2))
        for second in Int64(12)...14 { #expect(paused.tick(at: at(second * 1_000)) != .lost) }
        #expect(paused.tick(at: at(15_000)) == .lost)
    }

    @Test func anOutboxRefusesAtItsBound() {
        let outbox = LinkOutbox(bound: 100, frameLimit: 50, overflow: {}, wake: {})
        #expect(outbox.append([UInt8](repeating: 1, count: 45)) == .accepted)
        #expect(outbox.append([UInt8](repeating: 2, count: 45)) == .accepted)
        #expect(outbox.append([]) == .full)
        #expect(outbox.queuedByteCount == 100)
        let frames = outbox.take()
        #expect(frames.map(\.first) == [1, 2])
        // What was taken still waits for the socket.
        #expect(outbox.append([3]) == .full)
        outbox.release(50)
        #expect(outbox.append([3]) == .accepted)
        #expect(outbox.append([UInt8](repeating: 4, count: 50)) == .tooLarge)
        outbox.close()
        outbox.release(56)
        #expect(outbox.append([5]) == .unlinked)
        #expect(outbox.take().isEmpty)
    }

    @Test func anOutboxIsGivenUpOnceAndTakesNothingMore() {
        let count = NIOLockedValueBox(0)
        let outbox = LinkOutbox(bound: 100, frameLimit: 50, overflow: { count.withLockedValue { $0 += 1 } }, wake: {})
        #expect(outbox.append([1]) == .accepted)
        for _ in 0..<3 { outbox.giveUp() }
        #expect(outbox.append([2]) == .unlinked)
        #expect(count.withLockedValue { $0 } == 1)
        // Of a connection that has ended by itself nothing is left to end.
        let ended = LinkOutbox(bound: 100, frameLimit: 50, overflow: { count.withLockedValue { $0 += 1 } }, wake: {})
        ended.close()
        ended.giveUp()
        #expect(count.withLockedValue { $0 } == 1)
    }
}
