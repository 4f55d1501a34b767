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
