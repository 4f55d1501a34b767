/// Reads the members of a request body and gathers what is wrong with them, so that a client learns of all its mistakes at
/// once (400/50035). Unknown members are passed over. Call `finish()` after the last read.
///
/// Lengths count Unicode scalar values, as protocol 5.5 says.
public struct BodyReader: Sendable {
    /// What was wrong so far.
    public var errors = FormErrors()

    private let object: JSONObject
    private let path: [String]

    /// A reader of a body, or of a value inside one at `path`. Anything but an object counts as one without members and
    /// is complained of.
    public init(_ body: JSON, path: [String] = []) {
        self.path = path
        if case .object(let object) = body {
            self.object = object
        } else {
            object = JSONObject()
            errors.add(path, code: "DICT_TYPE_CONVERT", message: "Only dictionaries may be used in a DictType")
        }
    }

    /// Throws the error that lists every complaint, if there are any.
    public func finish() throws(APIError) {
        try errors.check()
    }

    /// Adds a complaint about a member.
    public mutating func refuse(_ key: String, code: String, message: String) {
        errors.add(path + [key], code: code, message: message)
    }

    /// Adds the complaints of a reader of something inside this body.
    public mutating func merge(_ other: BodyReader) {
        errors.entries += other.errors.entries
    }

    /// Complains if the field is missing or null; gives its value otherwise.
    public mutating func require<Value>(_ key: String, _ field: BodyField<Value>) -> Value? {
        if let value = field.value { return value }
        // A value of the wrong type has been complained of already, and reads as missing.
        if object[key] == nil || object[key] == .null {
            refuse(key, code: "BASE_TYPE_REQUIRED", message: "This field is required")
        }
        return nil
    }

    /// Whether the body has this member, null or not.
    public func has(_ key: String) -> Bool {
        object[key] != nil
    }

    /// A text of so many Unicode scalar values. One with a NUL, which no column can hold, is refused.
    public mutating func string(_ key: String, length: ClosedRange<Int>) -> BodyField<String> {
        read(key) { value, reader in
            guard let text = value.stringValue else {
                reader.refuse(key, code: "STRING_TYPE_CONVERT", message: "Could not interpret the value as string.")
                return nil
            }
            // Bytes bound scalars from both sides, so that a long text is not counted in vain.
            let bytes = text.utf8.count
            let count = bytes <= length.upperBound * 4 ? text.unicodeScalars.count : bytes
            guard length.contains(count) else {
                reader.refuseLength(key, length)
                return nil
            }
            guard !text.utf8.contains(0) else {
                reader.refuse(
                    key, code: "BASE_TYPE_INVALID", message: "The text holds a character that cannot be stored.")
                return nil
            }
            return text
        }
    }

    /// A whole number in a range.
    public mutating func integer(_ key: String, in range: ClosedRange<Int>) -> BodyField<Int> {
        read(key) { value, reader in
            let number = value.intValue ?? value.stringValue.flatMap { Int($0) }
            guard let number else {
                reader.refuse(key, code: "NUMBER_TYPE_COERCE", message: "The value is not int.")
                return nil
            }
            if number < range.lowerBound {
                reader.refuse(
                    key, code: "NUMBER_TYPE_MIN",
                    message: "int value should be greater than or equal to \(range.lowerBound).")
                return nil
            }
            if number > range.upperBound {
                reader.refuse(
                    key, code: "NUMBER_TYPE_MAX",
                    message: "int value should be less than or equal to \(range.upperBound).")
                return nil
            }
            return number
        }
    }

    /// One of some whole numbers.
    public mutating func choice(_ key: String, of choices: [Int]) -> BodyField<Int> {
        read(key) { value, reader in
            guard let number = value.intValue, choices.contains(number) else {
                let list = choices.map(String.init).joined(separator: ", ")
                reader.refuse(key, code: "BASE_TYPE_CHOICES", message: "Value must be one of {\(list)}.")
                return nil
            }
            return number
        }
    }

    /// A truth value.
    public mutating func bool(_ key: String) -> BodyField<Bool> {
        read(key) { value, reader in
            guard let truth = value.boolValue else {
                reader.refuse(key, code: "BOOLEAN_TYPE_CONVERT", message: "Must be either true or false.")
                return nil
            }
            return truth
        }
    }

    /// An id, as a string or a number.
    public mutating func snowflake(_ key: String) -> BodyField<Snowflake> {
        read(key) { value, reader in
            guard let id = value.snowflakeValue else {
                reader.refuse(key, code: "NUMBER_TYPE_COERCE", message: "The value is not snowflake.")
                return nil
            }
            return id
        }
    }

    /// A list of ids, each kept once, in the order given.
    public mutating func snowflakes(_ key: String, count: ClosedRange<Int>) -> BodyField<[Snowflake]> {
        switch list(key, count: count) {
        case .absent: return .absent
        case .null: return .null
        case .value(let elements):
            var seen: Set<Snowflake> = []
            var ids: [Snowflake] = []
            for (index, element) in elements.enumerated() {
                guard let id = element.snowflakeValue else {
                    errors.add(
                        path + [key, String(index)], code: "NUMBER_TYPE_COERCE", message: "The value is not snowflake.")
                    continue
                }
                if seen.insert(id).inserted { ids.append(id) }
            }
            return .value(ids)
        }
    }

    /// A set of permissions, as a decimal string or a number.
    public mutating func permissions(_ key: String) -> BodyField<Permissions> {
        read(key) { value, reader in
            guard let permissions = Permissions(json: value) else {
                reader.refuse(key, code: "BITFIELD_TYPE_CONVERT", message: "The value is not a set of permissions.")
                return nil
            }
            return permissions
        }
    }

    /// A moment in ISO 8601.
    public mutating func timestamp(_ key: String) -> BodyField<Timestamp> {
        read(key) { value, reader in
            guard let moment = value.stringValue.flatMap({ Timestamp(iso8601: $0) }) else {
                reader.refuse(key, code: "DATE_TIME_TYPE_PARSE", message: "Could not parse. Should be ISO8601.")
                return nil
            }
            return moment
        }
    }

    /// A list of so many elements of any kind.
    public mutating func list(_ key: String, count: ClosedRange<Int>) -> BodyField<[JSON]> {
        read(key) { value, reader in
            guard let elements = value.arrayValue else {
                reader.refuse(key, code: "LIST_TYPE_CONVERT", message: "Only iterables may be used in a ListType")
                return nil
            }
            guard count.contains(elements.count) else {
                reader.refuseLength(key, count)
                return nil
            }
            return elements
        }
    }

    /// An object.
    public mutating func object(_ key: String) -> BodyField<JSON> {
        read(key) { value, reader in
            guard case .object = value else {
                reader.refuse(key, code: "DICT_TYPE_CONVERT", message: "Only dictionaries may be used in a DictType")
                return nil
            }
            return value
        }
    }

    private mutating func refuseLength(_ key: String, _ range: ClosedRange<Int>) {
        if range.lowerBound == 0 {
            refuse(
                key, code: "BASE_TYPE_MAX_LENGTH", message: "Must be \(range.upperBound) or fewer in length.")
        } else {
            refuse(
                key, code: "BASE_TYPE_BAD_LENGTH",
                message: "Must be between \(range.lowerBound) and \(range.upperBound) in length.")
        }
    }

    private mutating func read<Value>(
        _ key: String, _ convert: (JSON, inout BodyReader) -> Value?
    ) -> BodyField<Value> {
        guard let value = object[key] else { return .absent }
        if value == .null { return .null }
        return convert(value, &self).map { .value($0) } ?? .absent
    }
}
