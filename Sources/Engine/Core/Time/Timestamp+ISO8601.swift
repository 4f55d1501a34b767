extension Timestamp: CustomStringConvertible {
    /// The form of protocol 3.2: `2026-01-31T12:00:00.123456+00:00`.
    public var iso8601: String {
        var bytes: [UInt8] = []
        appendISO8601(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The same as `iso8601`.
    public var description: String {
        iso8601
    }

    /// Appends the form of protocol 3.2 as ASCII. Years beyond 9999 or before 0 are held to those bounds.
    public func appendISO8601(to bytes: inout [UInt8]) {
        let moment = min(max(self, Self.earliestPrintable), Self.latestPrintable)
        let (seconds, fraction) = Self.floorDivide(moment.microseconds, by: 1_000_000)
        let (days, secondOfDay) = Self.floorDivide(seconds, by: 86_400)
        let date = CivilDate(daysSince1970: days)
        bytes.reserveCapacity(bytes.count + 32)
        Self.append(date.year, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(date.month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(date.day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        Self.append(secondOfDay / 3600, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(secondOfDay / 60 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(secondOfDay % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Self.append(fraction, digits: 6, to: &bytes)
        bytes.append(contentsOf: [0x2B, 0x30, 0x30, 0x3A, 0x30, 0x30])
    }

    /// Reads an ISO 8601 date and time: `T` or a space between them, seconds and up to nine digits of fraction optional,
    /// offset `Z`, `±HH:MM`, `±HHMM` or `±HH`, UTC where none is given. Nil for anything else, also for days and hours
    /// that do not exist. A leap second counts as the second before.
    public init?(iso8601 text: some StringProtocol) {
        var reader = ISO8601Reader(text.utf8)
        guard let moment = reader.read() else { return nil }
        self = moment
    }

    private static let earliestPrintable = Timestamp(microseconds: -62_167_219_200_000_000)
    private static let latestPrintable = Timestamp(microseconds: 253_402_300_799_999_999)

    private static func append(_ value: Int64, digits: Int, to bytes: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        var rest = value
        while divisor > 0 {
            bytes.append(UInt8(truncatingIfNeeded: 0x30 + rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }
}

/// A day of the proleptic Gregorian calendar. The conversions count in eras of 400 years that begin in March, so that the
/// leap day is the last of its year.
struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(daysSince1970: Int64) {
        let shifted = daysSince1970 + 719_468
        let (era, dayOfEra) = Timestamp.floorDivide(shifted, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01.
    var daysSince1970: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = Timestamp.floorDivide(shiftedYear, by: 400)
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

/// Reads one ISO 8601 moment from ASCII; total.
private struct ISO8601Reader<Bytes: Sequence<UInt8>> {
    private var iterator: Bytes.Iterator
    private var current: UInt8?

    init(_ bytes: Bytes) {
        iterator = bytes.makeIterator()
        current = iterator.next()
    }

    mutating func read() -> Timestamp? {
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2),
            take("T") || take("t") || take(" "), let hour = number(2), take(":"), let minute = number(2)
        else { return nil }
        var second: Int64 = 0
        var fraction: Int64 = 0
        if take(":") {
            guard let value = number(2) else { return nil }
            second = value
            if take(".") || take(",") {
                guard let value = microseconds() else { return nil }
                fraction = value
            }
        }
        guard let offset = offsetSeconds(), current == nil else { return nil }
        guard (1...12).contains(month), hour < 24, minute < 60, second <= 60 else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSince1970
        let normalised = CivilDate(daysSince1970: days)
        guard day > 0, normalised.month == month, normalised.day == day else { return nil }
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + min(second, 59) - offset
        return Timestamp(microseconds: seconds * 1_000_000 + fraction)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        current = iterator.next()
        return true
    }

    private mutating func digit() -> Int64? {
        guard let byte = current, byte >= 0x30, byte <= 0x39 else { return nil }
        current = iterator.next()
        return Int64(byte - 0x30)
    }

    private mutating func number(_ count: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<count {
            guard let next = digit() else { return nil }
            value = value * 10 + next
        }
        return value
    }

    private mutating func microseconds() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while let next = digit() {
            count += 1
            guard count <= 9 else { return nil }
            if count <= 6 { value = value * 10 + next }
        }
        guard count > 0 else { return nil }
        for _ in min(count, 6)..<6 { value *= 10 }
        return value
    }

    private mutating func offsetSeconds() -> Int64? {
        if current == nil || take("Z") || take("z") { return 0 }
        let sign: Int64
        if take("+") {
            sign = 1
        } else if take("-") {
            sign = -1
        } else {
            return nil
        }
        guard let hours = number(2), hours < 24 else { return nil }
        var minutes: Int64 = 0
        if current != nil {
            _ = take(":")
            guard let value = number(2), value < 60 else { return nil }
            minutes = value
        }
        return sign * (hours * 3600 + minutes * 60)
    }
}
