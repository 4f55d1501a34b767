/// A set of permissions: 64 bits, in JSON a decimal string (protocol 4).
public struct Permissions: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt64

    /// Any bits, known or not; unknown ones are kept as they were given.
    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public static let createInstantInvite = Permissions(rawValue: 1 << 0)
    public static let kickMembers = Permissions(rawValue: 1 << 1)
    public static let banMembers = Permissions(rawValue: 1 << 2)
    public static let administrator = Permissions(rawValue: 1 << 3)
    public static let manageChannels = Permissions(rawValue: 1 << 4)
    public static let manageGuild = Permissions(rawValue: 1 << 5)
    public static let addReactions = Permissions(rawValue: 1 << 6)
    public static let viewAuditLog = Permissions(rawValue: 1 << 7)
    public static let prioritySpeaker = Permissions(rawValue: 1 << 8)
    public static let stream = Permissions(rawValue: 1 << 9)
    public static let viewChannel = Permissions(rawValue: 1 << 10)
    public static let sendMessages = Permissions(rawValue: 1 << 11)
    public static let sendTTSMessages = Permissions(rawValue: 1 << 12)
    public static let manageMessages = Permissions(rawValue: 1 << 13)
    public static let embedLinks = Permissions(rawValue: 1 << 14)
    public static let attachFiles = Permissions(rawValue: 1 << 15)
    public static let readMessageHistory = Permissions(rawValue: 1 << 16)
    public static let mentionEveryone = Permissions(rawValue: 1 << 17)
    public static let useExternalEmojis = Permissions(rawValue: 1 << 18)
    public static let viewGuildInsights = Permissions(rawValue: 1 << 19)
    public static let connect = Permissions(rawValue: 1 << 20)
    public static let speak = Permissions(rawValue: 1 << 21)
    public static let muteMembers = Permissions(rawValue: 1 << 22)
    public static let deafenMembers = Permissions(rawValue: 1 << 23)
    public static let moveMembers = Permissions(rawValue: 1 << 24)
    public static let useVAD = Permissions(rawValue: 1 << 25)
    public static let changeNickname = Permissions(rawValue: 1 << 26)
    public static let manageNicknames = Permissions(rawValue: 1 << 27)
    public static let manageRoles = Permissions(rawValue: 1 << 28)
    public static let manageWebhooks = Permissions(rawValue: 1 << 29)
    public static let manageGuildExpressions = Permissions(rawValue: 1 << 30)
    public static let useApplicationCommands = Permissions(rawValue: 1 << 31)
    public static let requestToSpeak = Permissions(rawValue: 1 << 32)
    public static let manageEvents = Permissions(rawValue: 1 << 33)
    public static let manageThreads = Permissions(rawValue: 1 << 34)
    public static let createPublicThreads = Permissions(rawValue: 1 << 35)
    public static let createPrivateThreads = Permissions(rawValue: 1 << 36)
    public static let useExternalStickers = Permissions(rawValue: 1 << 37)
    public static let sendMessagesInThreads = Permissions(rawValue: 1 << 38)
    public static let moderateMembers = Permissions(rawValue: 1 << 40)
    public static let sendVoiceMessages = Permissions(rawValue: 1 << 46)
    public static let sendPolls = Permissions(rawValue: 1 << 49)
    public static let useExternalApps = Permissions(rawValue: 1 << 50)
    public static let pinMessages = Permissions(rawValue: 1 << 51)
    public static let bypassSlowmode = Permissions(rawValue: 1 << 52)

    /// Every permission that has a name.
    public static let all = Permissions(rawValue: 0x001E_417F_FFFF_FFFF)

    /// What `@everyone` may do in a new guild.
    public static let everyoneDefault: Permissions = [
        .createInstantInvite, .addReactions, .viewChannel, .sendMessages, .embedLinks, .attachFiles,
        .readMessageHistory, .useExternalEmojis, .connect, .speak, .useVAD, .changeNickname, .useApplicationCommands,
        .sendMessagesInThreads,
    ]

    /// What the recipients of a direct conversation may do in it.
    public static let directMessage: Permissions = [
        .addReactions, .viewChannel, .sendMessages, .embedLinks, .attachFiles, .readMessageHistory, .useExternalEmojis,
        .connect, .speak, .useVAD, .useApplicationCommands,
    ]

    /// What a timed-out member keeps.
    public static let whileTimedOut: Permissions = [.viewChannel, .readMessageHistory]

    /// What cannot be done where one may not send.
    static let needSending: Permissions = [.sendTTSMessages, .attachFiles, .embedLinks, .mentionEveryone]
}

extension Permissions: CustomStringConvertible {
    /// The decimal form, as it stands in JSON.
    public var description: String {
        String(rawValue)
    }

    /// Reads a set from JSON: a decimal string or a whole number, not negative (protocol 3.3).
    public init?(json: JSON) {
        switch json {
        case .number(let number):
            guard let value = number.unsignedValue else { return nil }
            self.init(rawValue: value)
        case .string(let text):
            guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = UInt64(text) else { return nil }
            self.init(rawValue: value)
        default:
            return nil
        }
    }
}
