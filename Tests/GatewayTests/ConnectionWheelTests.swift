import FluxFuzzing
import NIOCore
import Testing

@testable import FluxGateway

@Suite struct ConnectionWheelTests {
    private final class Entry: WheelEntry {
        var wheelPlace = WheelPlace()
        var deadline: NIODeadline
        init(_ deadline: NIODeadline) { self.deadline = deadline }
    }

    private func at(_ seconds: Double) -> NIODeadline { .uptimeNanoseconds(5_000_000_000_000 + UInt64(seconds * 1e9)) }

    @Test func entriesComeWhenTheirTimeHasPassed() {
        var wheel = ConnectionWheel<Entry>()
        let early = Entry(at(2.5))
        let late = Entry(at(60))
        wheel.insert(early, deadline: early.deadline, now: at(0))
        wheel.insert(late, deadline: late.deadline, now: at(0))
        #expect(wheel.advance(to: at(2)).isEmpty)
        #expect(wheel.advance(to: at(2.9)).isEmpty)
        #expect(wheel.advance(to: at(3.6)).first === early)
        #expect(wheel.advance(to: at(59)).isEmpty)
        #expect(wheel.advance(to: at(61)).first === late)
        #expect(wheel.isEmpty)
    }

    @Test func aNewDeadlineReplacesTheOld() {
        var wheel = ConnectionWheel<Entry>()
        let entry = Entry(at(5))
        wheel.insert(entry, deadline: at(5), now: at(0))
        wheel.insert(entry, deadline: at(50), now: at(0))
        #expect(wheel.advance(to: at(30)).isEmpty)
        #expect(wheel.advance(to: at(52)).count == 1)
    }

    @Test func removedEntriesNeverCome() {
        var wheel = ConnectionWheel<Entry>()
        let entries = (0..<10).map { _ in Entry(at(5)) }
        for entry in entries { wheel.insert(entry, deadline: at(5), now: at(0)) }
        for index in [0, 9, 4, 5] { wheel.remove(entries[index]) }
        wheel.remove(entries[0])
        let due = wheel.advance(to: at(7))
        #expect(Set(due.map(ObjectIdentifier.init)) == Set([1, 2, 3, 6, 7, 8].map { ObjectIdentifier(entries[$0]) }))
    }

    @Test func thePastIsDueAtOnceAndTheFarFutureEarly() {
        var wheel = ConnectionWheel<Entry>()
        let past = Entry(at(0))
        wheel.insert(past, deadline: .uptimeNanoseconds(0), now: at(10))
        #expect(wheel.advance(to: at(11)).first === past)
        let far = Entry(at(0))
        wheel.insert(far, deadline: .distantFuture, now: at(20))
        #expect(wheel.advance(to: at(20 + 1000)).first === far)
    }

    /// Against a list that is searched: nothing comes early, nothing later than two seconds, nothing twice or never.
    @Test func manyRandomDeadlines() {
        var random = SeededGenerator(seed: 128)
        var wheel = ConnectionWheel<Entry>()
        var waiting: [ObjectIdentifier: Entry] = [:]
        var now = 0.0
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let entry = Entry(at(now + Double.random(in: 0...110, using: &random)))
                waiting[ObjectIdentifier(entry)] = entry
                wheel.insert(entry, deadline: entry.deadline, now: at(now))
            case 2:
                guard let entry = waiting.values.randomElement(using: &random) else { continue }
                if Bool.random(using: &random) {
                    wheel.remove(entry)
                    waiting[ObjectIdentifier(entry)] = nil
                } else {
                    entry.deadline = at(now + Double.random(in: 0...110, using: &random))
                    wheel.insert(entry, deadline: entry.deadline, now: at(now))
                }
            default:
                now += Double.random(in: 0...1, using: &random)
                for entry in wheel.advance(to: at(now)) {
                    #expect(entry.deadline <= at(now))
                    #expect(waiting.removeValue(forKey: ObjectIdentifier(entry)) != nil)
                }
                if now >= 2 { #expect(!waiting.values.contains { $0.deadline < at(now - 2) }) }
            }
        }
    }
}
