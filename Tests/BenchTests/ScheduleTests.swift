import Testing

@testable import flux_bench

@Suite struct ScheduleTests {
    /// All loops together send every message of the rate once, each at its time.
    @Test func loopsShareTheRate() {
        let own = [[0, 2, 4], [1, 3], []]
        var schedules = own.map {
            SendSchedule(rate: 1_000, start: 5_000_000_000, end: 5_100_000_000, senders: 5, own: $0)
        }
        var dues: [UInt64] = []
        var perSender = [Int](repeating: 0, count: 5)
        for loop in schedules.indices {
            while let (sender, due) = schedules[loop].take(at: UInt64.max) {
                dues.append(due)
                perSender[own[loop][sender]] += 1
            }
        }
        #expect(dues.sorted() == (0..<100).map { 5_000_000_000 + UInt64($0) * 1_000_000 })
        #expect(perSender == [20, 20, 20, 20, 20])
    }

    @Test func nothingIsTakenBeforeItIsDue() {
        var schedule = SendSchedule(rate: 10, start: 1_000_000_000, end: 2_000_000_000, senders: 1, own: [0])
        #expect(schedule.take(at: 999_999_999) == nil)
        #expect(schedule.take(at: 1_050_000_000)?.due == 1_000_000_000)
        #expect(schedule.take(at: 1_050_000_000) == nil)
        // What could not be sent in time is made up for; it stays due at its time.
        #expect(schedule.take(at: 1_950_000_000)?.due == 1_100_000_000)
        #expect(schedule.take(at: 1_950_000_000)?.due == 1_200_000_000)
    }

    @Test func connectionsArePaced() {
        var pacer = ConnectPacer<Int>(rate: 10, width: 3)
        for number in 0..<10 { pacer.wait(number) }
        #expect(pacer.begin(at: 1_000_000_000) == 0)
        #expect(pacer.begin(at: 1_000_000_000) == nil, "a tenth of a second apart")
        #expect(pacer.begin(at: 1_100_000_000) == 1)
        #expect(pacer.begin(at: 1_200_000_000) == 2)
        #expect(pacer.begin(at: 9_000_000_000) == nil, "three are under way")
        pacer.done()
        #expect(pacer.begin(at: 9_000_000_000) == 3)
        pacer.done()
        #expect(pacer.begin(at: 9_000_000_000) == nil, "no burst after a pause")
    }

    @Test func recoveriesAreMeasured() {
        let second: UInt64 = 1_000_000_000
        // One channel goes on, one stops for 3 s, one does not come back, one begins later.
        let goesOn = (0..<100).map { UInt64($0) * second / 10 }
        let stops = goesOn.filter { $0 <= 2 * second || $0 >= 5 * second }
        let ends = goesOn.filter { $0 <= 2 * second }
        let recovery = Recovery(
            mark: "kill", begin: 0, acknowledgements: [goesOn, stops, ends, goesOn.filter { $0 > 3 * second }],
            window: 2 * second + 50_000_000..<9 * second,
            deliveries: [
                silence([3, 2]), silence([1, 5], back: true), silence([1]), silence([4], back: true), silence([2]),
            ])
        #expect(recovery.gaps == [second / 10, 3 * second])
        #expect(recovery.silences == [second / 10, 3 * second])
        #expect(recovery.unrecovered == 1)
        #expect(recovery.deliveries == [1, 2, 3])
        #expect(recovery.returns == [4, 5])
        #expect(Recovery.percentile(50, of: [1, 2, 3, 4]) == 3)
        #expect(Recovery.percentile(100, of: [1, 2, 3, 4]) == 4)
        #expect(Recovery.percentile(50, of: []) == nil)
    }

    private func silence(_ times: [UInt64], back: Bool = false) -> DeliverySilence {
        var silence = DeliverySilence()
        for time in times { silence.ended(after: time, comingBack: false) }
        if back { silence.ended(after: 0, comingBack: true) }
        return silence
    }

    /// An acknowledgement that was under way at the mark does not hide the silence behind it.
    @Test func whatWasUnderWayHidesNothing() {
        let recovery = Recovery(
            mark: "kill", begin: 0, acknowledgements: [[10, 21, 500, 510]], window: 20..<1_000, deliveries: [])
        #expect(recovery.gaps == [11])
        #expect(recovery.silences == [479])
    }
}
