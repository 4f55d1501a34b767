/// The violations of a run: all are counted, the first of each kind are kept in words.
struct ViolationLog: Sendable {
    private static let keptOfEachKind = 20

    private(set) var counts: [Violation.Kind: Int] = [:]
    private(set) var kept: [Violation] = []

    var isEmpty: Bool { counts.isEmpty }
    var total: Int { counts.values.reduce(0, +) }

    mutating func note(_ kind: Violation.Kind, _ text: String) {
        counts[kind, default: 0] += 1
        if counts[kind, default: 0] <= Self.keptOfEachKind { kept.append(Violation(kind, text)) }
    }

    mutating func merge(_ other: ViolationLog) {
        for (kind, count) in other.counts { counts[kind, default: 0] += count }
        for kind in Violation.Kind.allCases {
            let room = Self.keptOfEachKind - kept.count { $0.kind == kind }
            kept += other.kept.filter { $0.kind == kind }.prefix(max(0, room))
        }
    }
}
