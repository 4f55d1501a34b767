import FluxCore

/// What `flux admin provision` asks for: people, guilds, channels, and who is a member where.
///
/// Guild g has the people `g·M … g·M + M − 1`, counted round; the first of them owns it. With N = G·M everybody is in
/// exactly one guild.
public struct ProvisionRequest: Sendable, Equatable {
    /// A request that was not understood.
    struct Refusal: Error {
        let message: String
    }

    /// The most of each, so that one call cannot fill the memory.
    static let limit = 1_000_000

    /// How many accounts.
    public var users: Int
    /// How many guilds.
    public var guilds: Int
    /// How many members each guild has.
    public var members: Int
    /// How many text channels each guild has.
    public var channels: Int
    /// What usernames begin with. The same prefix again finds the accounts and guilds that it made before.
    public var prefix: String
    /// A request of parts.
    public init(users: Int, guilds: Int, members: Int, channels: Int, prefix: String) {
        self.users = users
        self.guilds = guilds
        self.members = members
        self.channels = channels
        self.prefix = prefix
    }

    init(body: [UInt8]) throws(Refusal) {
        guard let object = try? JSON.parse(body).objectValue else {
            throw Refusal(message: "the body is no JSON object")
        }
        func number(_ name: String, _ range: ClosedRange<Int>, default preset: Int) throws(Refusal) -> Int {
            guard let value = object[name] else { return preset }
            guard let number = value.intValue.flatMap({ Int(exactly: $0) }), range.contains(number) else {
                throw Refusal(message: "\(name): a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
        users = try number("users", 1...Self.limit, default: 1)
        guilds = try number("guilds", 0...Self.limit, default: 0)
        members = try number("members", 1...250_000, default: 1)
        channels = try number("channels", 1...500, default: 1)
        prefix = object["prefix"]?.stringValue ?? "user"
        guard members <= users else { throw Refusal(message: "members: at most as many as users") }
        guard guilds.multipliedReportingOverflow(by: members).partialValue <= 2 * Self.limit else {
            throw Refusal(message: "guilds × members: at most \(2 * Self.limit)")
        }
        let isFine = prefix.utf8.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 46
        }
        guard isFine, (1...24).contains(prefix.utf8.count) else {
            throw Refusal(message: "prefix: 1 to 24 of a-z, 0-9, . and _")
        }
    }

    /// The form that ``init(body:)`` reads.
    func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("users")
        writer.int(users)
        writer.key("guilds")
        writer.int(guilds)
        writer.key("members")
        writer.int(members)
        writer.key("channels")
        writer.int(channels)
        writer.key("prefix")
        writer.string(prefix)
        writer.endObject()
        return writer.bytes
    }

    /// The people of a guild, as positions from 0, its owner first.
    public func people(ofGuild guild: Int) -> [Int] {
        (0..<members).map { (guild * members + $0) % users }
    }

    /// The name of the person at a position.
    public func username(_ position: Int) -> String {
        "\(prefix)\(position)"
    }

    /// The name of the guild at a position.
    public func guildName(_ position: Int) -> String {
        "\(prefix) \(position)"
    }
}
