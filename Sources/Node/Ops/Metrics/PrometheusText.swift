/// Writes metrics in Prometheus's text format 0.0.4.
public struct PrometheusText: Sendable {
    /// The media type of the format.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// What has been written.
    public private(set) var text = ""

    /// Nothing written yet.
    public init() {}

    /// Begins a family. Every family is begun once, before its samples.
    public mutating func begin(_ definition: MetricDefinition) {
        text += "# HELP \(definition.name) \(Self.escaped(definition.help, quotes: false))\n"
        text += "# TYPE \(definition.name) \(definition.kind.rawValue)\n"
    }

    /// One sample.
    public mutating func sample(_ name: String, labels: [(String, String)] = [], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{"
            text += labels.map { "\($0.0)=\"\(Self.escaped($0.1, quotes: true))\"" }.joined(separator: ",")
            text += "}"
        }
        text += " \(Self.number(value))\n"
    }

    /// A family of one sample without labels.
    public mutating func single(_ definition: MetricDefinition, _ value: Double) {
        begin(definition)
        sample(definition.name, value)
    }

    /// Buckets (cumulative), sum and count of a histogram.
    mutating func histogram(
        _ name: String, labels: [(String, String)], bounds: [Double], _ snapshot: HistogramSeries.Snapshot
    ) {
        var running: UInt64 = 0
        for (bound, count) in zip(bounds, snapshot.counts) {
            running += count
            sample(name + "_bucket", labels: labels + [("le", Self.number(bound))], Double(running))
        }
        sample(name + "_bucket", labels: labels + [("le", "+Inf")], Double(snapshot.total))
        sample(name + "_sum", labels: labels, snapshot.sum)
        sample(name + "_count", labels: labels, Double(snapshot.total))
    }

    /// A name of only the letters that the format allows.
    static func sanitized(_ name: String) -> String {
        let letters = name.unicodeScalars.map { scalar -> Character in
            let isAllowed = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            return isAllowed ? Character(scalar) : "_"
        }
        let text = String(letters)
        return text.first.map(\.isNumber) ?? true ? "_" + text : text
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.contains(where: { $0 == "\\" || $0 == "\n" || (quotes && $0 == "\"") }) else { return text }
        return text.map { character in
            switch character {
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\"" where quotes: "\\\""
            default: String(character)
            }
        }.joined()
    }
}
