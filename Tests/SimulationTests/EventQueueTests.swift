import FluxCore
import FluxSimulation
import Testing

/// Virtual time: near and far, in order.
@Suite struct EventQueueTests {
    @Test(arguments: 1...20) func whatIsScheduledHappensInOrderHoweverFarItLies(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var queue = EventQueue<Int>()
        /// What has not happened yet, as a plain list would keep it.
        var waiting: [(time: Duration, number: Int)] = []
        var number = 0
        while number < 2_000 || !waiting.isEmpty {
            if number < 2_000, waiting.isEmpty || Bool.random(using: &random) {
                // From within a millisecond to far beyond what the calendar's lists reach; many at one moment.
                let furthest = [0, 1, 20, 500, 20_000, 200_000].randomElement(using: &random) ?? 0
                let time = queue.now + .milliseconds(Int.random(in: 0...furthest, using: &random))
                queue.schedule(number, at: time)
                waiting.append((time, number))
                number += 1
            } else {
                let next = waiting.indices.min {
                    (waiting[$0].time, waiting[$0].number) < (waiting[$1].time, waiting[$1].number)
                }
                let expected = next.map { waiting.remove(at: $0) }
                #expect(queue.nextTime == expected?.time)
                #expect(queue.next(until: .seconds(1_000_000)) == expected?.number)
                #expect(queue.now == expected?.time)
            }
            #expect(queue.count == waiting.count)
        }
    }

    @Test func timeGoesNoFurtherThanItIsAskedTo() {
        var queue = EventQueue<Int>()
        queue.schedule(1, at: .seconds(30))
        queue.schedule(2, at: .seconds(10))
        #expect(queue.next(until: .seconds(9)) == nil)
        #expect(queue.now == .seconds(9))
        // What should have been before is at once.
        queue.schedule(3, at: .seconds(1))
        #expect(queue.next(until: .seconds(60)) == 3)
        #expect(queue.now == .seconds(9))
        #expect(queue.next(until: .seconds(60)) == 2)
        #expect(queue.next(until: .seconds(60)) == 1)
        #expect(queue.next(until: .seconds(60)) == nil)
        #expect(queue.now == .seconds(60) && queue.nextTime == nil)
    }
}
