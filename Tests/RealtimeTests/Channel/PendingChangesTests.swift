import FluxCore
import FluxFuzzing
import Testing

@testable import FluxRealtime

/// Whatever becomes of changes, in whichever order it becomes known, everybody is shown what stands in the end.
@Suite struct PendingChangesTests {
    private func message(_ text: String) -> Message {
        Message(id: Snowflake(7), channelID: Snowflake(1), authorID: Snowflake(2), content: text, seq: 1, epoch: 1)
    }

    private func text(_ correction: PendingChanges.Correction?) -> String? {
        switch correction {
        case .state(let message)?: message.content
        case .deletion?: "gone"
        case .reaction(let change)?: "\(change)"
        case nil: nil
        }
    }

    @Test func anEditThatComesToNothingIsTakenBack() {
        var changes = PendingChanges()
        changes.decided(Snowflake(7), 2, from: message("old"))
        let correction = changes.settled(
            Snowflake(7), 2, as: message("new"), isDurable: false, makesMessage: false)
        #expect(text(correction) == "old")
        #expect(changes.isEmpty)
    }

    @Test func aDeletionThatComesToNothingIsTakenBack() {
        var changes = PendingChanges()
        changes.decided(Snowflake(7), 2, from: message("old"))
        let correction = changes.settled(Snowflake(7), 2, as: nil, isDurable: false, makesMessage: false)
        #expect(text(correction) == "old")
    }

    @Test func whatNeverCameToBeIsDeletedWhateverBecameOfItsEdits() {
        var changes = PendingChanges()
        changes.decided(Snowflake(7), 1, from: nil)
        changes.decided(Snowflake(7), 2, from: message("new"))
        let first = changes.settled(Snowflake(7), 1, as: message("new"), isDurable: false, makesMessage: true)
        #expect(first == nil)
        let second = changes.settled(Snowflake(7), 2, as: message("newer"), isDurable: true, makesMessage: false)
        #expect(text(second) == "gone")
    }

    @Test func fatesInAnyOrderLeadToWhatStands() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<5_000 {
            var changes = PendingChanges()
            let count = Int.random(in: 1...5, using: &generator)
            let texts: [String?] = (0..<count).map { index in
                index == count - 1 && Bool.random(using: &generator) ? nil : "state \(index)"
            }
            let fates = texts.map { _ in Bool.random(using: &generator) }
            for index in texts.indices {
                changes.decided(Snowflake(7), Int64(index + 2), from: message("old"))
            }
            var corrections: [PendingChanges.Correction] = []
            for index in texts.indices.shuffled(using: &generator) {
                let state = texts[index].map { message($0) }
                if let correction = changes.settled(
                    Snowflake(7), Int64(index + 2), as: state, isDurable: fates[index], makesMessage: false)
                {
                    corrections.append(correction)
                }
            }
            #expect(changes.isEmpty)
            guard let last = texts.indices.last(where: { fates[$0] }) else {
                #expect(corrections.map { text($0) } == ["old"])
                continue
            }
            let expected = last == texts.indices.last ? [] : [texts[last] ?? "gone"]
            #expect(corrections.map { text($0) } == expected)
        }
    }
}
