/// Members in one call: a key and its value. Where the value is an optional, nil is written as null.
extension JSONWriter {
    /// A string member.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: String) {
        key(name)
        string(value)
    }

    /// A string member, or null.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    /// A whole number.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: some BinaryInteger) {
        key(name)
        int(value)
    }

    /// A whole number, or null.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: Int?) {
        key(name)
        if let value { int(value) } else { null() }
    }

    /// A truth value.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    /// An id.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: Snowflake) {
        key(name)
        snowflake(value)
    }

    /// An id, or null.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: Snowflake?) {
        key(name)
        if let value { snowflake(value) } else { null() }
    }

    /// A list of ids.
    public mutating func field(_ name: StaticString, _ values: [Snowflake]) {
        key(name)
        beginArray()
        for value in values { snowflake(value) }
        endArray()
    }

    /// A list of strings.
    public mutating func field(_ name: StaticString, _ values: [String]) {
        key(name)
        beginArray()
        for value in values { string(value) }
        endArray()
    }

    /// A moment.
    public mutating func field(_ name: StaticString, _ value: Timestamp) {
        key(name)
        timestamp(value)
    }

    /// A moment, or null.
    public mutating func field(_ name: StaticString, _ value: Timestamp?) {
        key(name)
        if let value { timestamp(value) } else { null() }
    }

    /// Permissions.
    @inlinable
    public mutating func field(_ name: StaticString, _ value: Permissions) {
        key(name)
        permissions(value)
    }

    /// Any JSON value.
    public mutating func field(_ name: StaticString, _ value: JSON) {
        key(name)
        json(value)
    }

    /// A value that is JSON already.
    @inlinable
    public mutating func field(_ name: StaticString, raw encoded: [UInt8]) {
        key(name)
        raw(encoded)
    }

    /// A member that is always null.
    @inlinable
    public mutating func nullField(_ name: StaticString) {
        key(name)
        null()
    }

    /// A member that is always an empty list.
    @inlinable
    public mutating func emptyListField(_ name: StaticString) {
        key(name)
        beginArray()
        endArray()
    }
}
