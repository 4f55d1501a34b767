import FluxCore

/// Parts of GUILD_CREATE that are encoded once and copied for each session (design 8, "Storm").
struct GuildBodyCache {
    /// The members of the guild object, roles included, without braces.
    private(set) var guild: [UInt8]?
    private var channels: [ChannelID: [UInt8]] = [:]
    /// The channels in the order of the list.
    private(set) var channelOrder: [ChannelID]?

    mutating func forgetGuild() { guild = nil }
    mutating func forgetChannel(_ id: ChannelID) { channels[id] = nil }
    mutating func forgetChannelOrder() { channelOrder = nil }

    mutating func keepGuild(_ encoded: [UInt8]) -> [UInt8] {
        guild = encoded
        return encoded
    }

    mutating func channel(_ channel: Channel) -> [UInt8] {
        if let known = channels[channel.id] { return known }
        var writer = JSONWriter()
        channel.write(to: &writer)
        channels[channel.id] = writer.bytes
        return writer.bytes
    }

    mutating func keepChannelOrder(_ order: [ChannelID]) -> [ChannelID] {
        channelOrder = order
        return order
    }
}
