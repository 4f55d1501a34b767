import NIOConcurrencyHelpers

/// What all clients have sent and what they were told about it. A nonce names one message of one author in one channel.
final class SendLedger: Sendable {
    struct Send: Sendable, Hashable {
        let author: String
        let channel: String
        let nonce: String
    }

    /// The message that an acknowledgement names.
    struct Answer: Sendable, Equatable {
        let id: String
        let seq: Int
    }

    private struct State {
        var intents: [Send] = []
        var answers: [Send: Answer] = [:]
        var repeats = 0
        var violations: [String] = []
    }

    private let state = NIOLockedValueBox(State())

    /// Everything that was to be sent.
    var intents: [Send] { state.withLockedValue(\.intents) }
    /// What was acknowledged.
    var answers: [Send: Answer] { state.withLockedValue(\.answers) }
    /// How many acknowledgements came for what was acknowledged already.
    var repeats: Int { state.withLockedValue(\.repeats) }
    /// Acknowledgements that contradict an earlier one, and other things that must not be.
    var violations: [String] { state.withLockedValue(\.violations) }

    func intend(_ send: Send) { state.withLockedValue { $0.intents.append(send) } }

    func acknowledge(_ send: Send, _ answer: Answer) {
        state.withLockedValue { state in
            guard let first = state.answers.updateValue(answer, forKey: send) else { return }
            state.repeats += 1
            if first != answer {
                state.answers[send] = first
                state.violations.append("\(send.nonce) in \(send.channel) was first \(first), then \(answer)")
            }
        }
    }

    func note(violation: String) { state.withLockedValue { $0.violations.append(violation) } }
}
