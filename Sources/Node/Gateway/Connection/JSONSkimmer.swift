/// Steps over JSON values without looking into them. Knows strings, escapes and the pairing of brackets, no more.
struct JSONSkimmer {
    /// Brackets inside each other; one bit of a word each.
    private static let maximumDepth = 64

    private var position: Int
    private let end: Int

    init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    /// Steps over white space and `byte`. False, with only the white space gone, when something else is there.
    mutating func take(_ byte: UInt8, from bytes: Span<UInt8>) -> Bool {
        skipWhiteSpace(bytes)
        guard position < end, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func isAtEnd(of bytes: Span<UInt8>) -> Bool {
        skipWhiteSpace(bytes)
        return position == end
    }

    /// Steps over a string and returns where its content lies, escapes as they stand.
    mutating func takeString(from bytes: Span<UInt8>) -> Range<Int>? {
        guard take(UInt8(ascii: "\""), from: bytes) else { return nil }
        let start = position
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return start..<position - 1
            case UInt8(ascii: "\\"):
                position += 2
            default:
                position += 1
            }
        }
        return nil
    }

    /// Steps over one value of any kind and returns where it lies.
    mutating func takeValue(from bytes: Span<UInt8>) -> Range<Int>? {
        skipWhiteSpace(bytes)
        guard position < end else { return nil }
        let start = position
        switch bytes[position] {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard skipBrackets(bytes) else { return nil }
        case UInt8(ascii: "\""):
            guard takeString(from: bytes) != nil else { return nil }
        default:
            while position < end, Self.isScalar(bytes[position]) { position += 1 }
            guard position > start else { return nil }
        }
        return start..<position
    }

    private mutating func skipBrackets(_ bytes: Span<UInt8>) -> Bool {
        /// The open brackets, the innermost in the lowest bit: 1 for an object.
        var open: UInt64 = 0
        var depth = 0
        while position < end {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth < Self.maximumDepth else { return false }
                open = open << 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard open & 1 == (byte == UInt8(ascii: "}") ? 1 : 0) else { return false }
                open >>= 1
                depth -= 1
                position += 1
                if depth == 0 { return true }
            case UInt8(ascii: "\""):
                guard takeString(from: bytes) != nil else { return false }
            default:
                position += 1
            }
        }
        return false
    }

    private mutating func skipWhiteSpace(_ bytes: Span<UInt8>) {
        while position < end, Self.isWhiteSpace(bytes[position]) { position += 1 }
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// What numbers and literals are made of.
    private static func isScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default:
            false
        }
    }
}
