/// A member of a request body, which may be missing, null, or there. A partial change treats the three differently.
public enum BodyField<Value> {
    case absent
    case null
    case value(Value)

    /// The value, or nil where it is missing or null.
    public var value: Value? {
        if case .value(let value) = self { value } else { nil }
    }

    /// Whether the member was sent, null or not.
    public var isPresent: Bool {
        if case .absent = self { false } else { true }
    }

    /// Changes a field that can be empty: nothing where the member is missing, nil where it is null.
    public func apply(to target: inout Value?) {
        switch self {
        case .absent: break
        case .null: target = nil
        case .value(let value): target = value
        }
    }

    /// Changes a field that has a default: nothing where the member is missing, the default where it is null.
    public func apply(to target: inout Value, default fallback: Value) {
        switch self {
        case .absent: break
        case .null: target = fallback
        case .value(let value): target = value
        }
    }

    /// The same field with its value converted.
    public func map<Other>(_ transform: (Value) -> Other) -> BodyField<Other> {
        switch self {
        case .absent: .absent
        case .null: .null
        case .value(let value): .value(transform(value))
        }
    }
}

extension BodyField: Equatable where Value: Equatable {}
extension BodyField: Sendable where Value: Sendable {}
