/// Lengths of time as people write them: `15m`.
enum TimeText {
    private static let units: [(name: String, milliseconds: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// The time of a text, or nil.
    static func parse(_ text: String) -> Duration? {
        Quantity.parse(text, units: units.map { ($0.name, $0.milliseconds) }, bare: 1_000).map { .milliseconds($0) }
    }

    /// The text with the largest unit that loses nothing; below a millisecond it is cut.
    static func text(_ duration: Duration) -> String {
        let parts = duration.components
        let milliseconds = Int(parts.seconds) * 1_000 + Int(parts.attoseconds / 1_000_000_000_000_000)
        let unit = units.first { milliseconds % $0.milliseconds == 0 && milliseconds >= $0.milliseconds } ?? ("ms", 1)
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}
