import FluxCore
import Testing

@testable import FluxRealtime

/// When a node looks into the outbox of which slots.
struct SweepScheduleTests {
    private let one = Slot(of: UserID(1))
    private let other = Slot(of: UserID(2))

    @Test func whatIsNewIsLookedIntoAtOnceAndTheRestNowAndThen() {
        var schedule = SweepSchedule()
        let first = schedule.look(into: [one: 1], at: .zero)
        #expect(first.slots == [one])
        schedule.succeeded(first, at: .zero)
        #expect(schedule.look(into: [one: 1], at: .seconds(1)).slots.isEmpty)
        let second = schedule.look(into: [one: 1, other: 4], at: .seconds(2))
        #expect(second.slots == [other])
        schedule.succeeded(second, at: .seconds(2))
        #expect(schedule.look(into: [one: 1, other: 4], at: SweepSchedule.interval).slots == [one, other].sorted())
    }

    @Test func aSlotThatCameBackUnderAnotherEpochIsNew() {
        var schedule = SweepSchedule()
        schedule.succeeded(schedule.look(into: [one: 1], at: .zero), at: .zero)
        #expect(schedule.look(into: [one: 3], at: .seconds(1)).slots == [one])
    }

    @Test func whatCouldNotBeReadIsDueAgain() {
        let schedule = SweepSchedule()
        #expect(schedule.look(into: [one: 1], at: .zero).slots == [one])
        #expect(schedule.look(into: [one: 1], at: .seconds(1)).slots == [one])
    }
}
