/// What a channel gives to or takes from one role or one member (protocol 4 and 6.4).
public struct Overwrite: Sendable, Equatable {
    /// Whom an overwrite is for; the raw value is the `type` of the wire.
    public enum Kind: Int, Sendable {
        case role = 0
        case member = 1
    }

    /// The role's or the user's id.
    public var id: Snowflake
    public var kind: Kind
    public var allow: Permissions
    public var deny: Permissions

    public init(id: Snowflake, kind: Kind, allow: Permissions, deny: Permissions) {
        self.id = id
        self.kind = kind
        self.allow = allow
        self.deny = deny
    }

    /// Writes the overwrite object.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("id", id)
        writer.field("type", kind.rawValue)
        writer.field("allow", allow)
        writer.field("deny", deny)
        writer.endObject()
    }
}
