/// A JSON value (RFC 8259) as it was sent: integers exact to 64 bits, members in their order.
public enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSON])
    case object(JSONObject)

    /// Reads one document: UTF-8, no byte order mark, nothing but white space around it.
    ///
    /// Total: every input gives a value or a `JSONError`, in time linear in its size and in stack bounded by
    /// `limits.depth`. Of members with the same key the last one wins.
    public static func parse(
        _ bytes: some Collection<UInt8>, limits: JSONLimits = .default
    ) throws(JSONError) -> JSON {
        let result = bytes.withContiguousStorageIfAvailable { JSONParser.parse($0, limits: limits) }
        if let result { return try result.get() }
        return try Array(bytes).withUnsafeBufferPointer { JSONParser.parse($0, limits: limits) }.get()
    }

    /// The compact UTF-8 form.
    public func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.json(self)
        return writer.bytes
    }
}

extension JSON {
    /// The text, if this is a string.
    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The number, if this is a whole one that fits.
    public var intValue: Int? {
        if case .number(let number) = self { number.integerValue.flatMap(Int.init(exactly:)) } else { nil }
    }

    /// The number, if this is one.
    public var doubleValue: Double? {
        if case .number(let number) = self { number.doubleValue } else { nil }
    }

    /// The truth value, if this is one.
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The elements, if this is an array.
    public var arrayValue: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members, if this is an object.
    public var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The id, if this is the decimal form of one in a string, or a whole number (protocol 3.1).
    public var snowflakeValue: Snowflake? {
        switch self {
        case .string(let text):
            Snowflake(text)
        case .number(let number):
            number.unsignedValue.flatMap { (1...UInt64(Int64.max)).contains($0) ? Snowflake($0) : nil }
        default:
            nil
        }
    }

    /// Whether this is null.
    public var isNull: Bool {
        self == .null
    }

    /// The member of an object, or nil if this is none or has no such member.
    public subscript(key: String) -> JSON? {
        objectValue?[key]
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral, ExpressibleByFloatLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .number(.integer(value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .number(.double(value)) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(nilLiteral: ()) { self = .null }
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member(key: $0.0, value: $0.1) }))
    }

    /// A whole number.
    public init(_ value: Int) { self = .number(.integer(Int64(value))) }
    /// An id, as a decimal string.
    public init(_ value: Snowflake) { self = .string(value.description) }
}

/// A JSON number: whole numbers are exact to 64 bits, all others have the precision of a `Double`.
public enum JSONNumber: Sendable, Equatable {
    /// A whole number that fits in 64 bits with sign.
    case integer(Int64)
    /// A whole number above 2^63 − 1 that fits in 64 bits without sign.
    case unsigned(UInt64)
    /// A number with a fraction or an exponent, or a whole one beyond 64 bits. Always finite when parsed.
    case double(Double)

    /// The value if it is whole and fits; also of `2.0` or `1e3`, which some encoders write for integers.
    public var integerValue: Int64? {
        switch self {
        case .integer(let value): value
        case .unsigned: nil
        case .double(let value): Int64(exactly: value)
        }
    }

    /// The value if it is whole and not negative.
    public var unsignedValue: UInt64? {
        switch self {
        case .integer(let value): UInt64(exactly: value)
        case .unsigned(let value): value
        case .double(let value): UInt64(exactly: value)
        }
    }

    /// The nearest floating-point number.
    public var doubleValue: Double {
        switch self {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .double(let value): value
        }
    }
}

/// The members of a JSON object, in the order in which they were sent, each key once.
public struct JSONObject: Sendable, Equatable {
    /// One key with its value.
    public struct Member: Sendable, Equatable {
        public var key: String
        public var value: JSON

        public init(key: String, value: JSON) {
            self.key = key
            self.value = value
        }
    }

    /// The members; no key twice.
    public private(set) var members: [Member]

    /// Of members with the same key the last one stays, in the place of the first.
    public init(_ members: [Member] = []) {
        self.members = members
        removeDuplicates()
    }

    /// The value of a key; setting nil removes it. Searches in time linear in the number of members.
    public subscript(key: String) -> JSON? {
        get {
            for member in members where member.key == key { return member.value }
            return nil
        }
        set {
            let index = members.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Whether there are no members.
    public var isEmpty: Bool {
        members.isEmpty
    }

    /// The number of members.
    public var count: Int {
        members.count
    }

    private mutating func removeDuplicates() {
        if members.count <= 8 {
            guard hasDuplicatePair else { return }
        }
        // Hashing is seeded per process, so that no sender can choose keys that collide.
        var places: [String: Int] = [:]
        places.reserveCapacity(members.count)
        var kept: [Member] = []
        kept.reserveCapacity(members.count)
        for member in members {
            if let place = places[member.key] {
                kept[place].value = member.value
            } else {
                places[member.key] = kept.count
                kept.append(member)
            }
        }
        members = kept
    }

    private var hasDuplicatePair: Bool {
        for later in members.indices.dropFirst() {
            for earlier in 0..<later where members[earlier].key == members[later].key { return true }
        }
        return false
    }
}

/// Bounds of what the parser accepts; the size of a document is bounded by whoever reads it.
public struct JSONLimits: Sendable {
    /// How deep arrays and objects may be nested. The parser's stack grows with it.
    public var depth: Int

    public init(depth: Int = 64) {
        self.depth = depth
    }

    /// 64 levels: deeper than any body of the protocol, shallow enough for the smallest stack.
    public static let `default` = JSONLimits()
}

/// Why a document is not JSON, and at which byte.
public struct JSONError: Error, Sendable, Equatable {
    /// What is wrong.
    public enum Reason: Sendable, Equatable {
        case endOfInput
        case unexpectedByte
        case invalidNumber
        case numberOutOfRange
        case invalidEscape
        case invalidUTF8
        case controlCharacter
        case tooDeep
        case trailingBytes
    }

    public var reason: Reason
    /// Counted from 0.
    public var offset: Int

    public init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}
