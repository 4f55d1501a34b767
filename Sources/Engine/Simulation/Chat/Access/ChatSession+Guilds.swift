import FluxCore
import FluxRealtime

/// Guilds that a session's user joins while it lives: what `SessionActor` does after READY.
extension ChatSession {
    /// How long a guild is left alone that could not be had.
    private static let pause = Duration.milliseconds(500)
    /// How often a guild may refuse a session whose user is a member, as they say themselves.
    private static let toleratedRefusals = 8

    /// The session's user has joined a guild.
    func join(_ guild: ChatGuild) {
        guard phase != .ended else { return }
        guard phase == .ready, !isOnItsWay else { return lateNews.append { $0.join(guild) } }
        doubtedLosses.remove(guild.id)
        if subscribe(to: guild.key), let subscription = subscriptions[guild.key] { openGuild(guild, subscription) }
    }

    /// The session's user is no member any more. The guild's own stream says so first, as long as its owner lives.
    func leave(_ guild: ChatGuild) {
        guard phase != .ended else { return }
        guard phase == .ready, !isOnItsWay else { return lateNews.append { $0.leave(guild) } }
        let wasTold = doubtedLosses.remove(guild.id) != nil
        guard subscriptions[guild.key] != nil else { return }
        unsubscribe(from: guild.key)
        guard !wasTold else { return }
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("id", guild.id)
        writer.endObject()
        receive(StreamEvent(kind: .guildDelete, body: writer.bytes))
    }

    /// Asks a guild whether it is gone for the session, which was told so.
    func askAgain(_ guild: ChatGuild) {
        guard phase == .ready, doubtedLosses.contains(guild.id), subscribe(to: guild.key),
            let subscription = subscriptions[guild.key]
        else { return }
        openGuild(guild, subscription)
    }

    /// The guilds whose member the user is, as they say themselves.
    var guilds: [ChatGuild] { world.guilds.filter { world.moderation.isMember(userID, of: $0) } }

    /// READY has left, or the session has come: what came meanwhile follows.
    func hearLateNews() {
        let news = lateNews
        lateNews = []
        for item in news { item(self) }
    }

    /// A session that has come from another node has heard there what its user has joined and left since it was frozen. In production
    /// that is in the user's stream, which goes on here from where it stood there.
    func compareGuilds() {
        for guild in world.guilds {
            switch (subscriptions[guild.key], world.moderation.isMember(userID, of: guild)) {
            case (nil, true): join(guild)
            case (.some, false): leave(guild)
            default: break
            }
        }
    }

    private func openGuild(_ guild: ChatGuild, _ subscription: Subscription, refusals: Int = 0) {
        node.relays.whenReady(guild.key) { [self] isReady in
            guard isReady else { return openLater(guild, subscription, refusals: refusals) }
            ask(guild) { [self] answer in
                guard wants(guild, subscription) else {
                    if case .opened? = answer { stopWatching(guild.key) }
                    return
                }
                switch answer {
                case nil: openLater(guild, subscription, refusals: refusals)
                case .refused? where refusals < Self.toleratedRefusals && !doubtedLosses.contains(guild.id):
                    openLater(guild, subscription, refusals: refusals + 1)
                case .refused?: leave(guild)
                case .opened(let snapshot)?:
                    doubtedLosses.remove(guild.id)
                    receive(StreamEvent(kind: .guildCreate, body: Self.body(of: guild, snapshot.visibility)))
                    follow(subscription, from: snapshot)
                }
            }
        }
    }

    /// Whether the session listens to the guild as it did: it may have left and joined again since.
    private func wants(_ guild: ChatGuild, _ subscription: Subscription) -> Bool {
        phase == .ready && subscriptions[guild.key] === subscription
    }

    /// Lets a guild's events follow what the client was told of it.
    func follow(_ subscription: Subscription, from snapshot: GuildSnapshot) {
        liveSince[subscription.key] = world.now
        node.registry.becomeLive(subscription, at: snapshot.position, visibility: snapshot.visibility)
    }

    /// Asks again for a guild that could not be had, or did not know its member.
    func openLater(_ guild: ChatGuild, _ subscription: Subscription, refusals: Int = 0) {
        world.after(Self.pause, on: node) { [self] in
            if wants(guild, subscription) { openGuild(guild, subscription, refusals: refusals) }
        }
    }

    /// Asks the guild's owner for it; nil if it cannot be had now.
    func ask(_ guild: ChatGuild, _ completion: @escaping (GuildOwner.Opening?) -> Void) {
        node.call(guild.slot, deadline: .seconds(5)) {
            [userID, id = node.id] (owner: ChatNode, respond: @escaping (GuildOwner.Opening?) -> Void) in
            owner.owner(of: guild) { respond($0?.open(userID, on: id)) }
        } _: {
            completion($0)
        }
    }

    /// The guild counts the session, which comes from another node. - Parameter completion: whether it knows of it.
    func watch(_ key: StreamKey, _ completion: @escaping (Bool) -> Void) {
        tell(key, { [userID, id = node.id] in $0.watch(userID, on: id) }, completion)
    }

    /// The guild counts the session no longer.
    func stopWatching(_ key: StreamKey) {
        guard node.isRunning else { return }
        tell(key, { [userID, id = node.id] in $0.unwatch(userID, on: id) }, { _ in })
    }

    private func tell(_ key: StreamKey, _ body: @escaping (GuildOwner) -> Void, _ completion: @escaping (Bool) -> Void)
    {
        guard let guild = world.guilds.first(where: { $0.key == key }) else { return completion(true) }
        node.call(guild.slot, deadline: .seconds(5)) { (owner: ChatNode, respond: @escaping (Bool?) -> Void) in
            owner.owner(of: guild) { owner in
                if let owner { body(owner) }
                respond(owner == nil ? nil : true)
            }
        } _: {
            completion($0 ?? false)
        }
    }

    /// What is read here of a GUILD_CREATE.
    private static func body(of guild: ChatGuild, _ visibility: ChannelVisibility) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("id", guild.id)
        writer.field("channels", guild.channels.filter(visibility.contains))
        writer.endObject()
        return writer.bytes
    }

    /// Says so if the event is of something that was taken from the session's user and not given back (I7).
    ///
    /// Of an owner that has lost the slot and does not know it yet, whatever it shows commits nowhere. And what was decided before
    /// the change may come after the answer where the change comes behind it for certain: from a relay that had no lease
    /// meanwhile and has asked the owner anew since, and to a session that has gathered both while it was opened.
    func checkMayBeSeen(_ event: StreamEvent) {
        guard world.access.hasLost(userID), case .viewers(let channel) = event.audience,
            let taken = world.access.taken(channel, from: userID),
            event.position.epoch >= taken.position.epoch
        else { return }
        let isLater = event.position > taken.position
        if !isLater, let guild = world.guilds.first(where: { $0.channels.contains(channel) }),
            [node.answeredAt[guild.key], liveSince[guild.key]].contains(where: {
                $0.map { $0 >= taken.publishedAt } ?? false
            })
        {
            return
        }
        world.auditor.violate(
            world.now,
            "I7: user \(userID) is told \(event.kind) of channel \(channel), decided \(isLater ? "after" : "before") it was taken"
        )
    }
}
