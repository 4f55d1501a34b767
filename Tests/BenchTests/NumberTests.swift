import FluxCore
import Testing

@testable import flux_bench

@Suite struct NumberTests {
    @Test func numbersThatComeOneAfterTheOther() {
        var check = NumberCheck(last: 4)
        #expect(check.take(5) == .inOrder)
        #expect(check.take(5) == .again)
        #expect(check.take(8) == .ahead)
        #expect(check.missing == [6, 7])
        #expect(check.take(7) == .late)
        #expect(check.take(7) == .again)
        #expect(check.take(9) == .inOrder)
        #expect(check.missing == [6])
        #expect(check.take(2) == .again)
    }

    @Test func whatIsMissingIsBounded() {
        var check = NumberCheck(last: 0)
        #expect(check.take(NumberCheck.maximumMissing + 11) == .ahead)
        #expect(check.missing.count == NumberCheck.maximumMissing)
        #expect(check.forgotten == 10)
    }

    /// Runs hold what a plain dictionary holds, after any operations.
    @Test(arguments: 0..<200) func runsAgreeWithADictionary(seed: Int) {
        var generator = SplitMix64(seed: UInt64(seed))
        var runs = HeldRuns()
        var model: [Int: Int] = [:]
        var epoch = 1
        for _ in 0..<60 {
            let last = model.keys.max() ?? 10
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: epoch += 1
            case 1:
                let cut = Int.random(in: 8...(last + 1), using: &generator)
                let count = model.keys.count { $0 > cut }
                #expect(runs.cut(above: cut) == count)
                model = model.filter { $0.key <= cut }
            case 2:
                runs.removeLast()
                if let last = model.keys.max() { model[last] = nil }
            case 3:
                if let seq = (11..<max(11, last)).first(where: { model[$0] == nil }), model.keys.max() ?? 0 > seq {
                    runs.insert(Place(epoch: epoch, seq: seq))
                    model[seq] = epoch
                }
            default:
                let seq = last + (Int.random(in: 0..<4, using: &generator) == 0 ? 3 : 1)
                runs.append(Place(epoch: epoch, seq: seq))
                model[seq] = epoch
            }
            let places = model.map { Place(epoch: $0.value, seq: $0.key) }.sorted { $0.seq < $1.seq }
            #expect(Array(runs.places) == places)
            #expect(runs.last == places.last)
            for seq in 5...(last + 4) { #expect(runs.epoch(of: seq) == model[seq]) }
            let clipped = runs.clipped(to: 12...15)
            #expect(Array(clipped.places) == places.filter { (12...15).contains($0.seq) })
        }
    }
}
