import FluxCore

/// How long channels went without an acknowledgement, and sessions without a message, after something was done to the nodes.
struct Recovery: Sendable, Equatable {
    /// What was done, as the mark says.
    let mark: String
    /// Seconds after the load's beginning.
    let at: Double
    /// Of each channel the time from its last acknowledgement before the mark to the first after it, in nanoseconds, growing.
    let gaps: [UInt64]
    /// Of each channel the longest time between two acknowledgements, from the last before the mark on: what was under way at
    /// the mark may still be acknowledged and does not hide what follows.
    let silences: [UInt64]
    /// Channels that had no acknowledgement any more before the next mark or the end.
    let unrecovered: Int
    /// Of each session whose connection held, the longest time between two messages that it was told.
    let deliveries: [UInt64]
    /// The same of those that had to connect again.
    let returns: [UInt64]

    /// - Parameters:
    ///   - acknowledgements: by channel, growing; channels without any before the mark are left out.
    ///   - window: from the mark to the next one, or the end.
    init(
        mark: String, begin: UInt64, acknowledgements: [[UInt64]], window: Range<UInt64>,
        deliveries: [DeliverySilence]
    ) {
        self.mark = mark
        at = Double(window.lowerBound - min(begin, window.lowerBound)) / 1e9
        var (gaps, silences, unrecovered): ([UInt64], [UInt64], Int) = ([], [], 0)
        for times in acknowledgements {
            guard let before = times.last(where: { $0 <= window.lowerBound }) else { continue }
            let after = times.filter { window.contains($0) && $0 > window.lowerBound }
            guard let first = after.first else {
                unrecovered += 1
                continue
            }
            gaps.append(first - before)
            silences.append(zip([before] + after, after).map { $1 - $0 }.max() ?? 0)
        }
        self.gaps = gaps.sorted()
        self.silences = silences.sorted()
        self.unrecovered = unrecovered
        self.deliveries = deliveries.filter { !$0.cameBack }.map(\.longest).sorted()
        returns = deliveries.filter(\.cameBack).map(\.longest).sorted()
    }

    /// The value below which so many hundredths lie; nil of nothing.
    static func percentile(_ hundredths: Int, of sorted: [UInt64]) -> UInt64? {
        sorted.isEmpty ? nil : sorted[min(sorted.count - 1, sorted.count * hundredths / 100)]
    }

    private static func milliseconds(_ hundredths: Int, of sorted: [UInt64]) -> Double? {
        percentile(hundredths, of: sorted).map { Double($0) / 1e6 }
    }

    static func table(_ recoveries: [Recovery]) -> String {
        let head = [
            "after", "at s", "channels", "next ack ms p50", "p99", "max", "silence p50", "p99", "max", "not back",
            "deliveries' silence p50", "p99", "max", "after coming back p50", "p99", "max",
        ]
        let rows = recoveries.map { recovery in
            [recovery.mark, Format.decimal(recovery.at, 1), "\(recovery.gaps.count + recovery.unrecovered)"]
                + [50, 99, 100].map { Format.decimal(milliseconds($0, of: recovery.gaps), 0) }
                + [50, 99, 100].map { Format.decimal(milliseconds($0, of: recovery.silences), 0) }
                + ["\(recovery.unrecovered)"]
                + [50, 99, 100].map { Format.decimal(milliseconds($0, of: recovery.deliveries), 0) }
                + [50, 99, 100].map { Format.decimal(milliseconds($0, of: recovery.returns), 0) }
        }
        return Format.table([head] + rows)
    }

    var json: JSON {
        func numbers(_ sorted: [UInt64]) -> JSON {
            [
                "p50": Self.milliseconds(50, of: sorted).json, "p99": Self.milliseconds(99, of: sorted).json,
                "max": Self.milliseconds(100, of: sorted).json,
            ]
        }
        return [
            "mark": .string(mark), "at": .number(.double(at)), "channels": JSON(gaps.count + unrecovered),
            "next_acknowledgement_ms": numbers(gaps), "silence_ms": numbers(silences), "unrecovered": JSON(unrecovered),
            "delivery_silence_ms": numbers(deliveries), "return_silence_ms": numbers(returns),
        ]
    }
}
