import FluxCluster
import FluxCore

/// Notes what happened and what should not have.
struct Auditor {
    private let isTraced: Bool
    /// What happened, if it is wanted.
    private(set) var lines: [String] = []
    /// What should not have happened, with its moment.
    private(set) var violations: [String] = []
    /// What clients asked for.
    var operations = 0
    /// What was broken on purpose.
    var faults = 0
    /// A number that tells one history from another.
    private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325

    init(isTraced: Bool) { self.isTraced = isTraced }

    /// Something happened. - Parameter text: is made only if a trace is wanted.
    mutating func trace(_ time: Duration, _ text: @autoclosure () -> String) {
        note(UInt64(truncatingIfNeeded: time.attoseconds))
        if isTraced { lines.append("\(Self.stamp(time)) \(text())") }
    }

    /// A number of the history.
    mutating func note(_ value: UInt64) { digest = (digest ^ value) &* 0x0000_0100_0000_01B3 }

    /// Something happened that must not.
    mutating func violate(_ time: Duration, _ text: String) {
        violations.append("\(Self.stamp(time)) \(text)")
        if isTraced { lines.append("\(Self.stamp(time)) VIOLATION \(text)") }
    }

    /// A slot changed hands: by votes only if more than half of those that may live hold its owner dead and live themselves.
    mutating func check(_ loss: LeaseDatabase.Loss, at time: Duration) {
        guard loss.reason == .voted, 2 * loss.votes.living <= loss.votes.members else { return }
        violate(
            time,
            "I9: slot \(loss.slot) was voted away from node \(loss.loser.node) by \(loss.votes.living) of \(loss.votes.members) members"
        )
    }

    private static func stamp(_ time: Duration) -> String {
        let milliseconds = time.inMilliseconds
        let rest = String(milliseconds % 1000)
        return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}
