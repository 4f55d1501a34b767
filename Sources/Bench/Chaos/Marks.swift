import Foundation
import NIOConcurrencyHelpers

/// What whoever does something to the nodes says about it on standard input: a line for each deed, right before it. The line
/// `end` ends the load.
final class Marks: Sendable {
    struct Mark: Sendable, Equatable {
        let name: String
        /// Nanoseconds of the monotonic clock.
        let at: UInt64
    }

    private struct State {
        var marks: [Mark] = []
        var hasEnded = false
    }

    /// More marks than this are not noted.
    private static let maximum = 10_000

    private let state = NIOLockedValueBox(State())

    var all: [Mark] { state.withLockedValue(\.marks) }
    /// Whether the load is to end.
    var hasEnded: Bool { state.withLockedValue(\.hasEnded) }

    /// Reads standard input on a thread of its own until it ends.
    func readStandardInput() {
        Thread.detachNewThread { [self] in
            while let line = readLine() { take(line, at: Clock.now) }
        }
    }

    func take(_ line: String, at now: UInt64) {
        let name = line.trimmingCharacters(in: .whitespaces)
        guard !name.isEmpty else { return }
        state.withLockedValue { state in
            if name == "end" {
                state.hasEnded = true
            } else if state.marks.count < Self.maximum {
                state.marks.append(Mark(name: name, at: now))
            }
        }
    }
}
