/// The reader behind `JSON.parse`: one pass of recursive descent over contiguous bytes.
///
/// The buffer pointer is borrowed from the caller for the time of `parse` and never kept: the parser is a local value of
/// that function, and every value it makes owns its memory. Each access is preceded by a comparison with `end`, which is
/// the count of the buffer.
struct JSONParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let end: Int
    private let maximumDepth: Int
    private var position = 0
    private var depth = 0

    static func parse(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) -> Result<JSON, JSONError> {
        var parser = JSONParser(bytes: bytes, maximumDepth: limits.depth)
        do throws(JSONError) {
            return .success(try parser.document())
        } catch {
            return .failure(error)
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
        self.bytes = bytes
        end = bytes.count
        self.maximumDepth = maximumDepth
    }

    private mutating func document() throws(JSONError) -> JSON {
        skipWhiteSpace()
        let value = try value()
        skipWhiteSpace()
        guard position == end else { throw error(.trailingBytes) }
        return value
    }

    private func error(_ reason: JSONError.Reason) -> JSONError {
        JSONError(reason: reason, offset: position)
    }

    @inline(__always)
    private mutating func skipWhiteSpace() {
        while position < end {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func value() throws(JSONError) -> JSON {
        guard position < end else { throw error(.endOfInput) }
        switch bytes[position] {
        case UInt8(ascii: "\""):
            return .string(try string())
        case UInt8(ascii: "{"):
            return .object(try object())
        case UInt8(ascii: "["):
            return .array(try array())
        case UInt8(ascii: "-"), 0x30...0x39:
            return .number(try number())
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default:
            throw error(.unexpectedByte)
        }
    }

    private mutating func literal(_ text: StaticString) throws(JSONError) {
        for index in 0..<text.utf8CodeUnitCount {
            guard position < end else { throw error(.endOfInput) }
            // The index is below the literal's own count.
            guard bytes[position] == text.utf8Start[index] else { throw error(.unexpectedByte) }
            position += 1
        }
    }

    private mutating func descend() throws(JSONError) {
        guard depth < maximumDepth else { throw error(.tooDeep) }
        depth += 1
        position += 1
        skipWhiteSpace()
    }

    private mutating func object() throws(JSONError) -> JSONObject {
        try descend()
        var members: [JSONObject.Member] = []
        if position < end, bytes[position] == UInt8(ascii: "}") {
            position += 1
            depth -= 1
            return JSONObject()
        }
        while true {
            guard position < end else { throw error(.endOfInput) }
            guard bytes[position] == UInt8(ascii: "\"") else { throw error(.unexpectedByte) }
            let key = try string()
            skipWhiteSpace()
            guard position < end else { throw error(.endOfInput) }
            guard bytes[position] == UInt8(ascii: ":") else { throw error(.unexpectedByte) }
            position += 1
            skipWhiteSpace()
            members.append(JSONObject.Member(key: key, value: try value()))
            if try closes(with: UInt8(ascii: "}")) { return JSONObject(members) }
        }
    }

    private mutating func array() throws(JSONError) -> [JSON] {
        try descend()
        var elements: [JSON] = []
        if position < end, bytes[position] == UInt8(ascii: "]") {
            position += 1
            depth -= 1
            return elements
        }
        while true {
            elements.append(try value())
            if try closes(with: UInt8(ascii: "]")) { return elements }
        }
    }

    /// Reads what follows a member or an element: the closing byte (true) or a comma with the white space behind it.
    private mutating func closes(with closing: UInt8) throws(JSONError) -> Bool {
        skipWhiteSpace()
        guard position < end else { throw error(.endOfInput) }
        let byte = bytes[position]
        if byte == closing {
            position += 1
            depth -= 1
            return true
        }
        guard byte == UInt8(ascii: ",") else { throw error(.unexpectedByte) }
        position += 1
        skipWhiteSpace()
        return false
    }
}

// MARK: - Strings

extension JSONParser {
    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        while position < end {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let text = try text(from: start, to: position)
                position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw error(.controlCharacter) }
            position += 1
        }
        throw error(.endOfInput)
    }

    /// Checked by the standard library while it copies, so that the bytes are read once more and no further.
    private func text(from start: Int, to stop: Int) throws(JSONError) -> String {
        let slice = UnsafeBufferPointer(rebasing: bytes[start..<stop])
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw JSONError(reason: .invalidUTF8, offset: start)
        }
        return text
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var buffer = Array(bytes[start..<position])
        while position < end {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                guard let text = String(validating: buffer, as: UTF8.self) else {
                    throw JSONError(reason: .invalidUTF8, offset: start)
                }
                return text
            }
            if byte == UInt8(ascii: "\\") {
                try escape(into: &buffer)
            } else {
                guard byte >= 0x20 else {
                    position -= 1
                    throw error(.controlCharacter)
                }
                buffer.append(byte)
            }
        }
        throw error(.endOfInput)
    }

    private mutating func escape(into buffer: inout [UInt8]) throws(JSONError) {
        guard position < end else { throw error(.endOfInput) }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"): buffer.append(contentsOf: UTF8.encode(try unicodeEscape()).map { Array($0) } ?? [])
        default:
            position -= 1
            throw error(.invalidEscape)
        }
    }

    /// Reads the digits of `\uXXXX`, and of the second half where the first is a high surrogate. A lone half is refused.
    private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
        let first = try hexadecimalUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00 else { throw error(.invalidEscape) }
        guard end - position >= 2 else { throw error(.endOfInput) }
        guard bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u") else {
            throw error(.invalidEscape)
        }
        position += 2
        let second = try hexadecimalUnit()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10 | (second - 0xDC00)))
        else { throw error(.invalidEscape) }
        return scalar
    }

    private mutating func hexadecimalUnit() throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard position < end else { throw error(.endOfInput) }
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: throw error(.invalidEscape)
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }
}

// MARK: - Numbers

extension JSONParser {
    private mutating func number() throws(JSONError) -> JSONNumber {
        let start = position
        let negative = bytes[position] == UInt8(ascii: "-")
        if negative { position += 1 }
        var magnitude: UInt64 = 0
        var exact = true
        let firstDigit = position
        while position < end, let digit = digit(bytes[position]) {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            if overflow || carry { exact = false }
            magnitude = sum
            position += 1
        }
        let digits = position - firstDigit
        guard digits > 0 else { throw error(position < end ? .invalidNumber : .endOfInput) }
        guard digits == 1 || bytes[firstDigit] != 0x30 else { throw error(.invalidNumber) }
        if position < end, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try digitRun()
            exact = false
        }
        if position < end, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < end, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try digitRun()
            exact = false
        }
        if exact {
            if !negative { return magnitude <= UInt64(Int64.max) ? .integer(Int64(magnitude)) : .unsigned(magnitude) }
            if magnitude <= UInt64(Int64.max) { return .integer(-Int64(magnitude)) }
            if magnitude == 1 << 63 { return .integer(.min) }
        }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw JSONError(reason: .numberOutOfRange, offset: start)
        }
        return .double(value)
    }

    private mutating func digitRun() throws(JSONError) {
        let start = position
        while position < end, digit(bytes[position]) != nil { position += 1 }
        guard position > start else { throw error(position < end ? .invalidNumber : .endOfInput) }
    }

    @inline(__always)
    private func digit(_ byte: UInt8) -> UInt8? {
        let value = byte &- 0x30
        return value < 10 ? value : nil
    }
}
