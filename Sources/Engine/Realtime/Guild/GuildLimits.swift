/// Bounds of what a guild holds and of what its fields may be (protocol 3.5 and 5.4).
enum GuildLimits {
    static let roles = 250
    static let channels = 500
    /// Channels under one category.
    static let children = 50
    /// Overwrites of one channel.
    static let overwrites = 400
    static let invites = 1000
    static let bans = 100_000

    /// Unicode scalar values.
    static let guildName = 1...100
    static let channelName = 1...100
    static let roleName = 1...100
    static let nick = 0...32
    static let topic = 0...1024
    static let description = 0...300
    /// What is kept of a reason.
    static let reason = 512

    /// Seconds.
    static let slowmode = 0...21_600
    static let bitrate = 8000...384_000
    static let userLimit = 0...99
    static let color = 0...0xFF_FFFF
    /// Seconds a time-out may last: 28 days.
    static let timeOut: Int64 = 28 * 86_400
    /// Seconds of messages that go with a ban: 7 days.
    static let purge = 0...604_800
    /// Seconds; 0 is for ever.
    static let inviteAge = 0...604_800
    static let inviteUses = 0...100
    /// Members in one GUILD_MEMBERS_CHUNK.
    static let chunk = 1000
}
