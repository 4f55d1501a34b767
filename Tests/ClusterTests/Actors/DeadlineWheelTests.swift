import FluxFuzzing
import Testing

@testable import FluxCluster

@Suite struct DeadlineWheelTests {
    @Test func anElementIsFoundOnceAndNotAgain() throws {
        var wheel = DeadlineWheel<String>(bound: 10)
        let inserted = wheel.insert("a", deadline: 5)
        let token = try #require(inserted)
        #expect(wheel.element(token) == "a")
        #expect(wheel.remove(token) == "a")
        #expect(wheel.remove(token) == nil)
        #expect(wheel.element(token) == nil)
        let insertedSecond = wheel.insert("b", deadline: 5)
        let second = try #require(insertedSecond)
        #expect(second != token)
        #expect(wheel.remove(token) == nil)
        #expect(wheel.count == 1)
    }

    @Test func aTokenThatNeverWasFindsNothing() {
        var wheel = DeadlineWheel<String>(bound: 10)
        #expect(wheel.remove(.init(rawValue: .max)) == nil)
        #expect(wheel.element(.init(rawValue: 12)) == nil)
    }

    @Test func aDeadlineIsNoticedAfterItsTick() {
        var wheel = DeadlineWheel<String>(at: 100, buckets: 8, bound: 10)
        _ = wheel.insert("soon", deadline: 101)
        _ = wheel.insert("later", deadline: 109)
        _ = wheel.insert("past", deadline: 3)
        #expect(wheel.advance(to: 101) == ["past"])
        #expect(wheel.advance(to: 102) == ["soon"])
        #expect(wheel.advance(to: 109) == [])
        #expect(wheel.advance(to: 1_000) == ["later"])
        #expect(wheel.count == 0)
    }

    @Test func theBoundHolds() throws {
        var wheel = DeadlineWheel<Int>(bound: 2)
        let inserted = wheel.insert(1, deadline: 1)
        let first = try #require(inserted)
        #expect(wheel.insert(2, deadline: 1) != nil)
        #expect(wheel.insert(3, deadline: 1) == nil)
        _ = wheel.remove(first)
        #expect(wheel.insert(3, deadline: 1) != nil)
    }

    @Test(arguments: 1...20)
    func itDoesWhatASortedListWouldDo(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var wheel = DeadlineWheel<Int>(buckets: 16, bound: 200)
        var model: [DeadlineWheel<Int>.Token: (element: Int, deadline: Int64)] = [:]
        var spent: [DeadlineWheel<Int>.Token] = []
        var now: Int64 = 0
        for element in 0..<3_000 {
            switch Int.random(in: 0...9, using: &random) {
            case 0...5:
                let deadline = now + .random(in: -5...60, using: &random)
                if let token = wheel.insert(element, deadline: deadline) {
                    #expect(model[token] == nil)
                    model[token] = (element, max(deadline, now))
                } else {
                    #expect(model.count == 200)
                }
            case 6...7:
                if let (token, entry) = model.randomElement(using: &random) {
                    #expect(wheel.remove(token) == entry.element)
                    model[token] = nil
                    spent.append(token)
                }
            case 8:
                if let token = spent.randomElement(using: &random) { #expect(wheel.remove(token) == nil) }
            default:
                now += .random(in: 0...40, using: &random)
                let due = model.filter { $0.value.deadline < now }
                #expect(Set(wheel.advance(to: now)) == Set(due.values.map(\.element)))
                for token in due.keys {
                    model[token] = nil
                    spent.append(token)
                }
            }
            #expect(wheel.count == model.count)
        }
    }
}
