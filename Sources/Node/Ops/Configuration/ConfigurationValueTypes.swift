import FluxSecurity

/// The kinds of values that the schema uses.
extension ConfigurationValueType {
    /// Any text that is not empty.
    static func text(_ allowed: String) -> Self where Value == String {
        Self(allowed: allowed, scalar: { $0.isEmpty ? nil : $0 }, text: { $0 })
    }

    /// A text that must not be shown.
    static func secret(_ allowed: String) -> Self where Value == Secret {
        Self(allowed: allowed, scalar: { $0.isEmpty ? nil : Secret($0) }, text: \.exposed)
    }

    /// A whole number in a range; `_` may group digits.
    static func number(_ range: ClosedRange<Int>) -> Self where Value == Int {
        Self(
            allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            scalar: { text in Int(text.filter { $0 != "_" }).flatMap { range.contains($0) ? $0 : nil } },
            text: { String($0) })
    }

    /// One of an enumeration's words.
    static func choice() -> Self where Value: RawRepresentable<String> & CaseIterable {
        Self(
            allowed: "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "),
            scalar: { Value(rawValue: $0) }, text: \.rawValue)
    }
}

extension ConfigurationValueType<Bool> {
    /// `on` or `off`, and YAML's other words for them.
    static let flag = Self(
        allowed: "on or off",
        scalar: { text in
            switch text.lowercased() {
            case "on", "true", "yes": true
            case "off", "false", "no": false
            default: nil
            }
        },
        text: { $0 ? "on" : "off" })
}

extension ConfigurationValueType<Endpoint> {
    /// `host:port`.
    static let endpoint = Self(
        allowed: "host:port, with port 0 for any free one",
        scalar: { Endpoint($0) }, text: \.description)
}

extension ConfigurationValueType<Allowance> {
    /// `tokens/seconds`.
    static let allowance = Self(
        allowed: "tokens/seconds, such as 50/10", scalar: { Allowance($0) },
        text: \.description)
}

extension ConfigurationValueType<String> {
    /// An `http` or `https` origin; a trailing slash is dropped.
    static let origin = Self(
        allowed: "an http:// or https:// URL without path, query or user",
        scalar: { text in
            let origin = text.hasSuffix("/") ? String(text.dropLast()) : text
            guard let scheme = ["http://", "https://"].first(where: { origin.hasPrefix($0) }) else { return nil }
            let authority = origin.dropFirst(scheme.count)
            let forbidden: Set<Character> = ["/", "?", "#", "@", " "]
            return authority.isEmpty || authority.contains(where: forbidden.contains) ? nil : origin
        },
        text: { $0 })

    /// An address or a range in CIDR notation.
    static let addressRange = Self(
        allowed: "an IP address or a range such as 10.0.0.0/8",
        scalar: { TrustedProxies([$0]) == nil ? nil : $0 }, text: { $0 })

    /// A node's name: a DNS label in lower case.
    static let nodeName = Self(
        allowed: "1 to 63 of a-z, 0-9 and -, beginning with a letter or digit",
        scalar: { text in
            let fits = text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
            return fits && (1...63).contains(text.utf8.count) && !text.hasPrefix("-") ? text : nil
        },
        text: { $0 })
}

extension ConfigurationValueType<Int> {
    /// A size in bytes: a number alone, or with KiB, MiB, GiB.
    static func size(_ range: ClosedRange<Int>) -> Self {
        Self(
            allowed: "a size from \(ByteSize.text(range.lowerBound)) to \(ByteSize.text(range.upperBound))"
                + " (B, KiB, MiB or GiB)",
            scalar: { text in ByteSize.parse(text).flatMap { range.contains($0) ? $0 : nil } }, text: ByteSize.text)
    }
}

extension ConfigurationValueType<MemoryBudget> {
    /// A size or a percentage.
    static let memory = Self(
        allowed: "a size of at least 1 MiB (B, KiB, MiB or GiB), or 1% to 90% of the machine's memory",
        scalar: { text in
            if text.hasSuffix("%") {
                guard let percent = Int(text.dropLast().trimmed), (1...90).contains(percent) else { return nil }
                return .percent(percent)
            }
            return ByteSize.parse(text).flatMap { $0 >= 1 << 20 ? .bytes($0) : nil }
        },
        text: { budget in
            switch budget {
            case .bytes(let bytes): ByteSize.text(bytes)
            case .percent(let percent): "\(percent)%"
            }
        })
}

extension ConfigurationValueType<Duration> {
    /// A length of time: a number with ms, s, m, h or d; alone it means seconds.
    static func duration(_ range: ClosedRange<Duration>) -> Self {
        Self(
            allowed: "a time from \(TimeText.text(range.lowerBound)) to \(TimeText.text(range.upperBound))"
                + " (ms, s, m, h or d)",
            scalar: { text in TimeText.parse(text).flatMap { range.contains($0) ? $0 : nil } }, text: TimeText.text)
    }
}
