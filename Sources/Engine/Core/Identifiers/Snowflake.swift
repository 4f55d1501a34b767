/// A 64-bit identifier that carries its own creation time (protocol 3.1).
///
/// From the top: 42 bits of milliseconds since 2015-01-01 UTC (the first stays 0), 10 bits of node, 12 bits of counter.
/// The order of the raw values is the order in which history, cursors and unread markers compare ids.
public struct Snowflake: Hashable, Comparable, Sendable {
    /// The first moment that an id can carry, in milliseconds since 1970 UTC: 2015-01-01T00:00:00Z.
    public static let discordEpochMilliseconds: Int64 = 1_420_070_400_000

    /// The greatest value an id or a cursor may take: 2^63 − 1.
    public static let maximum = Snowflake(UInt64(Int64.max))

    /// The number itself.
    public let rawValue: UInt64

    /// Wraps a number that is known to be an id or a cursor.
    @inlinable
    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Wraps a number read from a signed column or field; negative numbers are no ids.
    @inlinable
    public init?(signed value: Int64) {
        guard value >= 0 else { return nil }
        self.init(UInt64(value))
    }

    /// The smallest id that can have been minted at the given time, in milliseconds since 1970 UTC.
    /// Times before the epoch give 0.
    public static func lowest(atMilliseconds milliseconds: Int64) -> Snowflake {
        let elapsed = milliseconds - discordEpochMilliseconds
        guard elapsed > 0 else { return Snowflake(0) }
        return Snowflake(UInt64(min(elapsed, (1 << 41) - 1)) << 22)
    }

    /// When this id was minted, in milliseconds since 1970 UTC.
    public var timestampMilliseconds: Int64 {
        Int64(rawValue >> 22) + Self.discordEpochMilliseconds
    }

    /// When this id was minted.
    public var timestamp: Timestamp {
        Timestamp(milliseconds: timestampMilliseconds)
    }

    /// The same bits as a signed number, as Postgres stores them.
    @inlinable
    public var signed: Int64 {
        Int64(bitPattern: rawValue)
    }

    @inlinable
    public static func < (left: Snowflake, right: Snowflake) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension Snowflake: CustomStringConvertible, LosslessStringConvertible {
    /// The decimal form, as it stands in JSON and in paths.
    public var description: String {
        String(rawValue)
    }

    /// Reads the decimal form of an id: 1 to 19 digits, no sign, at most 2^63 − 1, not 0.
    public init?(_ description: String) {
        guard let cursor = Snowflake(cursor: description), cursor.rawValue > 0 else { return nil }
        self = cursor
    }

    /// Reads a cursor, which may also be 0 (protocol 3.1: any number from 0 to 2^63 − 1).
    public init?(cursor description: some StringProtocol) {
        var value: UInt64 = 0
        var digits = 0
        for byte in description.utf8 {
            guard byte >= 0x30, byte <= 0x39, digits < 20 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte &- 0x30))
            guard !carry else { return nil }
            value = sum
            digits += 1
        }
        guard digits > 0, value <= UInt64(Int64.max) else { return nil }
        self.init(value)
    }
}

/// The id of a user, person or bot.
public typealias UserID = Snowflake
/// The id of a guild; also of its `@everyone` role.
public typealias GuildID = Snowflake
/// The id of a channel of a guild or of a direct conversation.
public typealias ChannelID = Snowflake
/// The id of a message.
public typealias MessageID = Snowflake
/// The id of a role.
public typealias RoleID = Snowflake
/// The id of an attachment.
public typealias AttachmentID = Snowflake
/// The id of an application; also of its bot user.
public typealias ApplicationID = Snowflake
/// The id of a custom emoji.
public typealias EmojiID = Snowflake
/// The id of a webhook.
public typealias WebhookID = Snowflake
/// The id of a login, that is of one family of access and refresh tokens.
public typealias LoginID = Snowflake

/// How often the ownership of a slot has changed; grows by one at every acquisition (design 2).
public typealias Epoch = Int64
/// A channel's dense number of a durable change, from 1 (protocol 10.5).
public typealias SequenceNumber = Int64
