/// The part of a file that a client asks for (RFC 9110 14.1.2).
public enum RequestedRange: Sendable, Hashable {
    /// From an offset up to and with another one; nil means to the end.
    case from(Int, through: Int?)
    /// So many last bytes.
    case last(Int)

    /// Reads a `Range` field. Nil for other units, several ranges and nonsense, all of which a server may ignore.
    public init?(_ field: String) {
        guard field.hasPrefix("bytes=") else { return nil }
        let parts = field.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let first = Self.number(parts[0])
        let last = Self.number(parts[1])
        switch (first, last) {
        case (let first?, let last?) where first <= last: self = .from(first, through: last)
        case (let first?, nil) where parts[1].isEmpty: self = .from(first, through: nil)
        case (nil, let last?) where parts[0].isEmpty: self = .last(last)
        default: return nil
        }
    }

    /// The bytes of an object of this size; nil if none of them exists.
    public func resolve(size: Int) -> Range<Int>? {
        switch self {
        case .from(let first, let last):
            guard first < size else { return nil }
            return first..<min(size, (last ?? size - 1).addingOne)
        case .last(let count):
            guard count > 0, size > 0 else { return nil }
            return max(0, size - count)..<size
        }
    }

    /// The field's value.
    public var description: String {
        switch self {
        case .from(let first, let last): "bytes=\(first)-\(last.map(String.init) ?? "")"
        case .last(let count): "bytes=-\(count)"
        }
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}

extension Int {
    /// The next number, or the same where there is none.
    fileprivate var addingOne: Int { self == .max ? self : self + 1 }
}
