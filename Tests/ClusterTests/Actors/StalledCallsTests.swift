import FluxCore
import FluxFuzzing
import Testing

@testable import FluxCluster

/// Who waits for an owner: in lines, in order, bounded, and each with an end.
@Suite struct StalledCallsTests {
    /// The value behind a reference, so that an expectation can change it.
    private final class Line {
        private(set) var calls: StalledCalls<Int>

        init(count: Int = 100, bytes: Int = 1_000) { calls = StalledCalls(maximumCount: count, maximumBytes: bytes) }

        var count: Int { calls.count }
        var bytes: Int { calls.bytes }
        var isEmpty: Bool { calls.isEmpty }
        func holds(_ address: ActorAddress) -> Bool { calls.holds(address) }
        func stall(
            _ element: Int, order: UInt64, bytes: Int, at address: ActorAddress, until end: Int64, nextTry: Int64
        ) -> Bool {
            calls.stall(element, order: order, bytes: bytes, at: address, until: end, nextTry: nextTry)
        }
        func remove(order: UInt64, at address: ActorAddress) { calls.remove(order: order, at: address) }
        func take(where condition: (ActorAddress) -> Bool) -> [Int] { calls.take(where: condition) }
        func takeDue(at tick: Int64) -> [Int] { calls.takeDue(at: tick) }
        func expire(at tick: Int64) -> [Int] { calls.expire(at: tick) }
    }

    @Test func aLineLeavesTogetherInTheOrderInWhichItsCallsWereMade() {
        let stalled = Line()
        for order in [3, 1, 4, 2] as [UInt64] {
            let isTaken = stalled.stall(
                Int(order), order: order, bytes: 10, at: .counter(1), until: 100, nextTry: 50)
            #expect(isTaken)
        }
        #expect(stalled.stall(9, order: 9, bytes: 10, at: .counter(2), until: 100, nextTry: 50))
        #expect(stalled.holds(.counter(1)) && stalled.holds(.counter(2)) && !stalled.holds(.counter(3)))
        #expect(stalled.take { $0 == .counter(1) } == [1, 2, 3, 4])
        #expect(!stalled.holds(.counter(1)))
        #expect(stalled.count == 1 && stalled.bytes == 10)
    }

    @Test func itTakesNoMoreThanItsBounds() {
        let stalled = Line(count: 2, bytes: 100)
        #expect(stalled.stall(1, order: 1, bytes: 60, at: .counter(1), until: 9, nextTry: 9))
        #expect(!stalled.stall(2, order: 2, bytes: 41, at: .counter(1), until: 9, nextTry: 9))
        #expect(stalled.stall(2, order: 2, bytes: 40, at: .counter(1), until: 9, nextTry: 9))
        #expect(!stalled.stall(3, order: 3, bytes: 0, at: .counter(1), until: 9, nextTry: 9))
        stalled.remove(order: 1, at: .counter(1))
        #expect(stalled.count == 1 && stalled.bytes == 40)
        #expect(stalled.stall(3, order: 3, bytes: 60, at: .counter(1), until: 9, nextTry: 9))
        // What is not there is no matter.
        stalled.remove(order: 1, at: .counter(1))
        stalled.remove(order: 1, at: .counter(7))
        #expect(stalled.take { _ in true } == [2, 3])
        #expect(stalled.isEmpty && stalled.bytes == 0)
    }

    @Test func aLineIsTriedAtTheTimeOfItsFirstCall() {
        let stalled = Line()
        #expect(stalled.stall(5, order: 5, bytes: 1, at: .counter(1), until: 100, nextTry: 20))
        // Who comes behind changes nothing.
        #expect(stalled.stall(6, order: 6, bytes: 1, at: .counter(1), until: 100, nextTry: 10))
        #expect(stalled.takeDue(at: 19) == [])
        #expect(stalled.stall(4, order: 4, bytes: 1, at: .counter(1), until: 100, nextTry: 12))
        #expect(stalled.takeDue(at: 12) == [4, 5, 6])
    }

    @Test func eachHasAnEndOfItsOwn() {
        let stalled = Line()
        for (order, end) in [(1, 30), (2, 10), (3, 20)] as [(UInt64, Int64)] {
            #expect(stalled.stall(Int(order), order: order, bytes: 1, at: .counter(1), until: end, nextTry: 99))
        }
        #expect(stalled.expire(at: 9) == [])
        #expect(stalled.expire(at: 20) == [2, 3])
        #expect(stalled.take { _ in true } == [1])
    }

    /// Against a model that is a plain list.
    @Test func whatItHoldsIsWhatWentInAndHasNotComeOut() {
        var generator = SeededGenerator(seed: 11)
        let stalled = Line(count: 40, bytes: 400)
        var model: [(order: UInt64, bytes: Int, key: UInt64, end: Int64)] = []
        var (next, now): (UInt64, Int64) = (0, 0)
        var refused = 0
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<6:
                next += 1
                let entry = (
                    order: next, bytes: Int.random(in: 0...30, using: &generator),
                    key: UInt64.random(in: 1...6, using: &generator),
                    end: now + Int64.random(in: 1...50, using: &generator)
                )
                let isTaken = stalled.stall(
                    Int(entry.order), order: entry.order, bytes: entry.bytes, at: .counter(entry.key), until: entry.end,
                    nextTry: now + 5)
                #expect(isTaken == (model.count < 40 && model.reduce(0) { $0 + $1.bytes } + entry.bytes <= 400))
                if isTaken { model.append(entry) } else { refused += 1 }
            case 6:
                guard let entry = model.randomElement(using: &generator) else { continue }
                stalled.remove(order: entry.order, at: .counter(entry.key))
                model.removeAll { $0.order == entry.order }
            case 7:
                now += 1
                let over = stalled.expire(at: now)
                #expect(over == model.filter { $0.end <= now }.map { Int($0.order) })
                model.removeAll { $0.end <= now }
            default:
                let key = UInt64.random(in: 1...6, using: &generator)
                #expect(stalled.take { $0 == .counter(key) } == model.filter { $0.key == key }.map { Int($0.order) })
                model.removeAll { $0.key == key }
            }
            #expect(stalled.count == model.count && stalled.bytes == model.reduce(0) { $0 + $1.bytes })
            #expect((1...6).allSatisfy { key in stalled.holds(.counter(key)) == model.contains { $0.key == key } })
        }
        #expect(refused > 0)
    }
}
