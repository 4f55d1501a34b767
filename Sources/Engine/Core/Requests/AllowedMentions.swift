/// Whom a message may notify, as its sender says (protocol 5.5).
public struct AllowedMentions: Sendable, Equatable {
    /// Whether every user mentioned is notified.
    public var parseUsers: Bool
    /// Whether every role mentioned is notified.
    public var parseRoles: Bool
    /// Whether `@everyone` and `@here` count.
    public var parseEveryone: Bool
    /// Users who are notified if mentioned.
    public var users: Set<UserID>
    /// Roles that are notified if mentioned.
    public var roles: Set<RoleID>
    /// Whether the author of the message answered is notified.
    public var repliedUser: Bool

    public init(
        parseUsers: Bool, parseRoles: Bool, parseEveryone: Bool, users: Set<UserID> = [], roles: Set<RoleID> = [],
        repliedUser: Bool
    ) {
        self.parseUsers = parseUsers
        self.parseRoles = parseRoles
        self.parseEveryone = parseEveryone
        self.users = users
        self.roles = roles
        self.repliedUser = repliedUser
    }

    /// What holds where the sender says nothing: everybody mentioned is notified.
    public static let everything = AllowedMentions(
        parseUsers: true, parseRoles: true, parseEveryone: true, repliedUser: true)

    /// What is left of the mentions in a text.
    public func filter(_ scanned: ScannedMentions) -> ScannedMentions {
        var kept = ScannedMentions()
        kept.users = parseUsers ? scanned.users : scanned.users.filter(users.contains)
        kept.roles = parseRoles ? scanned.roles : scanned.roles.filter(roles.contains)
        kept.everyone = scanned.everyone && parseEveryone
        return kept
    }

    /// Reads `allowed_mentions`; complaints go to `reader`. Nil where the key is missing or null.
    static func read(from reader: inout BodyReader) -> AllowedMentions? {
        guard let json = reader.object("allowed_mentions").value else { return nil }
        var inner = BodyReader(json, path: ["allowed_mentions"])
        var allowed = AllowedMentions(parseUsers: false, parseRoles: false, parseEveryone: false, repliedUser: false)
        for (index, element) in (inner.list("parse", count: 0...3).value ?? []).enumerated() {
            switch element.stringValue {
            case "users": allowed.parseUsers = true
            case "roles": allowed.parseRoles = true
            case "everyone": allowed.parseEveryone = true
            default:
                inner.errors.add(
                    ["allowed_mentions", "parse", String(index)], code: "BASE_TYPE_CHOICES",
                    message: "Value must be one of {'users', 'roles', 'everyone'}.")
            }
        }
        allowed.users = Set(inner.snowflakes("users", count: 0...100).value ?? [])
        allowed.roles = Set(inner.snowflakes("roles", count: 0...100).value ?? [])
        allowed.repliedUser = inner.bool("replied_user").value ?? false
        if allowed.parseUsers && !allowed.users.isEmpty || allowed.parseRoles && !allowed.roles.isEmpty {
            inner.refuse(
                "parse", code: "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                message: "A kind cannot be in parse and have a list of ids as well.")
        }
        reader.merge(inner)
        return allowed
    }
}
