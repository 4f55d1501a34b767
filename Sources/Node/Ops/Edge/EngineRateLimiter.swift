import FluxAPI
import FluxCore
import FluxGateway
import FluxRealtime

/// Counts what is limited per channel in the channel, where sends over the gateway are counted too, what is limited per person
/// where the cluster counts for all its nodes, and what is limited by address, or for a channel that does not answer, here.
struct EngineRateLimiter: RateLimiter {
    let realtime: Realtime
    let local = LocalRateLimiter()

    func take(_ key: RateLimitKey, rule: RateLimitConfiguration.Rule) async -> RateLimitDecision {
        guard case .user(let userID) = key.subject else { return await local.take(key, rule: rule) }
        if let bucket = key.bucket?.channelBucket,
            let decision = await realtime.takeBudget(bucket, of: userID, in: ChannelID(key.major))
        {
            return RateLimitDecision(of: decision)
        }
        guard let bucket = UserBucket(key.bucket) else { return await local.take(key, rule: rule) }
        return RateLimitDecision(
            of: await realtime.takeBudget(
                bucket, of: userID, in: key.major,
                rule: RateWindow.Rule(tokens: rule.tokens, seconds: rule.seconds)))
    }
}

extension RateLimitDecision {
    fileprivate init(of decision: RateWindow.Decision) {
        self.init(
            isAllowed: decision.isAllowed, limit: decision.limit, remaining: decision.remaining,
            resetAfter: Double(decision.resetAfterMilliseconds) / 1_000)
    }
}

extension UserBucket {
    /// The cluster's name for a bucket, nil: the limit over all routes; nil for what is not counted per person.
    fileprivate init?(_ bucket: RateLimitBucket?) {
        switch bucket {
        case nil: self = .everything
        case .acknowledge?: self = .acknowledge
        case .guildChange?: self = .guildChange
        case .guildCreate?: self = .guildCreate
        case .friendRequest?: self = .friendRequest
        case .applicationCreate?: self = .applicationCreate
        case .search?: self = .search
        case .messageCreate?, .messageChange?, .bulkDelete?, .reaction?, .typing?, .register?, .login?, .refresh?:
            return nil
        }
    }
}

extension RateLimitBucket {
    /// The channel's name for the bucket; nil for buckets that are not counted per channel.
    var channelBucket: ChannelBucket? {
        switch self {
        case .messageCreate: .messageCreate
        case .messageChange: .messageChange
        case .bulkDelete: .bulkDelete
        case .reaction: .reaction
        case .typing: .typing
        case .acknowledge, .guildChange, .guildCreate, .friendRequest, .applicationCreate, .search, .register, .login,
            .refresh:
            nil
        }
    }
}

extension NodeConfiguration.RateLimits {
    /// The limits that channels count; empty when limits are off.
    var forChannels: [ChannelBucket: RateWindow.Rule] {
        guard enabled else { return [:] }
        var rules: [ChannelBucket: RateWindow.Rule] = [:]
        for bucket in RateLimitBucket.allCases {
            guard let channelBucket = bucket.channelBucket else { continue }
            rules[channelBucket] = RateWindow.Rule(tokens: self[bucket].tokens, seconds: self[bucket].seconds)
        }
        return rules
    }
}
