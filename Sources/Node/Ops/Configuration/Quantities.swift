/// Sizes in bytes as people write them: `25 MiB`.
enum ByteSize {
    private static let units: [(name: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
    ]

    /// Bytes of a text, or nil.
    static func parse(_ text: String) -> Int? {
        Quantity.parse(text, units: units.map { ($0.name, $0.bytes) }, bare: 1)
    }

    /// The text with the largest unit that loses nothing.
    static func text(_ bytes: Int) -> String {
        let unit = units.first { bytes % $0.bytes == 0 && bytes >= $0.bytes } ?? ("B", 1)
        return "\(bytes / unit.bytes) \(unit.name)"
    }
}

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

/// A whole number and a unit.
private enum Quantity {
    static func parse(_ text: String, units: [(String, Int)], bare: Int) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        let name = text.dropFirst(digits.count).trimmed
        guard let factor = name.isEmpty ? bare : units.first(where: { $0.0 == name })?.1 else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}
