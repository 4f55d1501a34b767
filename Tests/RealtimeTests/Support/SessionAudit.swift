import FluxCore

@testable import FluxRealtime

/// Reads what one session of a person was sent, from READY on, and finds every breach of the promises about order, gaps and
/// visibility (I2, I6, I7, protocol 7.9): within what a client may view, a channel's events are dense by `seq` from where
/// the client was told that the channel stands; of what it may not view comes nothing.
///
/// The parts of a session that was taken up again are fed one after the other.
struct SessionAudit {
    private enum Place {
        /// The next event has this seq.
        case follows(Int)
        /// READY was read from Postgres, and some of what follows may be part of it already.
        case followsAtMost(Int)
    }

    private var channels: [ChannelID: Place] = [:]
    private var guilds: [GuildID: Set<ChannelID>] = [:]
    private var nextSequence: UInt64 = 1
    /// Every breach, in words.
    private(set) var breaches: [String] = []
    /// The contents of the messages of each channel, in the order they came.
    private(set) var contents: [ChannelID: [String]] = [:]
    private(set) var kinds: [EventKind: Int] = [:]

    /// Whether the client holds the channel to be there.
    func shows(_ channel: ChannelID) -> Bool { channels[channel] != nil }

    /// The seq up to which the client knows a channel; nil if it is not shown.
    func lastSeq(of channel: ChannelID) -> Int? {
        switch channels[channel] {
        case .follows(let next)?, .followsAtMost(let next)?: next - 1
        case nil: nil
        }
    }

    mutating func feed(_ dispatches: some Sequence<TestClient.Dispatch>) {
        for dispatch in dispatches { feed(dispatch) }
    }

    private mutating func feed(_ dispatch: TestClient.Dispatch) {
        if dispatch.sequence != nextSequence {
            breaches.append("s=\(dispatch.sequence) where \(nextSequence) was due")
        }
        nextSequence = dispatch.sequence + 1
        kinds[dispatch.kind, default: 0] += 1
        let body = dispatch.body
        switch dispatch.kind {
        case .ready:
            for guild in body["guilds"]?.arrayValue ?? [] { begin(guild: guild) }
            for channel in body["private_channels"]?.arrayValue ?? [] { begin(channel, isExact: false) }
        case .guildCreate: begin(guild: body)
        case .guildDelete:
            guard let id = body["id"]?.snowflakeValue else { return }
            for channel in guilds.removeValue(forKey: id) ?? [] { channels[channel] = nil }
        case .channelCreate:
            begin(body, isExact: body["guild_id"] != nil)
            if let guild = body["guild_id"]?.snowflakeValue, let id = body["id"]?.snowflakeValue {
                guilds[guild]?.insert(id)
            }
        case .channelDelete:
            guard let id = body["id"]?.snowflakeValue else { return }
            if channels.removeValue(forKey: id) == nil { breaches.append("CHANNEL_DELETE of what was not shown") }
        default: event(dispatch)
        }
    }

    private mutating func begin(guild: JSON) {
        guard let id = guild["id"]?.snowflakeValue else { return }
        var shown: Set<ChannelID> = []
        for channel in guild["channels"]?.arrayValue ?? [] {
            if let id = channel["id"]?.snowflakeValue { shown.insert(id) }
            begin(channel, isExact: true)
        }
        guilds[id] = shown
    }

    private mutating func begin(_ channel: JSON, isExact: Bool) {
        guard let id = channel["id"]?.snowflakeValue else { return }
        let next = (channel["last_seq"]?.intValue ?? 0) + 1
        if isExact {
            if channels[id] != nil { breaches.append("channel \(id) was shown twice") }
            channels[id] = .follows(next)
        } else if channels[id] == nil {
            channels[id] = .followsAtMost(next)
        }
    }

    private mutating func event(_ dispatch: TestClient.Dispatch) {
        let body = dispatch.body
        if let guild = body["guild_id"]?.snowflakeValue, guilds[guild] == nil {
            breaches.append("\(dispatch.kind) of a guild that is not shown")
        }
        guard let channel = body["channel_id"]?.snowflakeValue else { return }
        guard let place = channels[channel] else {
            breaches.append("\(dispatch.kind) of channel \(channel), which is not shown")
            return
        }
        if dispatch.kind == .messageCreate {
            contents[channel, default: []].append(body["content"]?.stringValue ?? "")
        }
        guard let seq = body["seq"]?.intValue else { return }
        switch place {
        case .follows(let next) where seq != next: breaches.append("seq \(seq) of \(channel) where \(next) was due")
        case .followsAtMost(let next) where seq > next: breaches.append("seq \(seq) of \(channel) after \(next - 1)")
        default: break
        }
        channels[channel] = .follows(seq + 1)
    }
}
