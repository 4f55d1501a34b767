import FluxCore
import FluxRealtime

/// Users, profiles, settings and the guilds of a user (protocol 5.2).
struct UserRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        routes.add(.get, "/users/@me", access: .user) { try await services.perform(.get, $0) }
        routes.add(.patch, "/users/@me", access: .user) { call in
            let body = try await services.images.replaceImages(
                in: call.json(limit: ImageStore.bodyLimit), keys: ["avatar", "banner"])
            return try await services.perform(.updateProfile, call, body: body)
        }
        routes.add(.get, "/users/{user}", access: .user) { call in
            guard let user = try await services.directory.user(try call.id("user")) else { throw APIError.unknownUser }
            return Answer.writing { user.write(to: &$0) }
        }
        routes.add(.get, "/users/{user}/profile", access: .person) { try await profile($0) }
        routes.add(.get, "/users/@me/guilds", access: .user) { try await guilds($0) }
        routes.add(.delete, "/users/@me/guilds/{guild}", access: .user, limit: .guildChange) { call in
            try await services.perform(.leave, on: call.id("guild"), call)
        }
        routes.add(.get, "/users/@me/settings", access: .person) { try await services.perform(.settings, $0) }
        routes.add(.patch, "/users/@me/settings", access: .person) { call in
            try await services.perform(.updateSettings, call, body: call.json())
        }
        routes.add(.patch, "/users/@me/guilds/{guild}/settings", access: .person) { call in
            try await services.perform(.updateGuildSettings(call.id("guild")), call, body: call.json())
        }
        routes.add(.get, "/users/@me/notes/{user}", access: .person) { call in
            try await services.perform(.note(call.id("user")), call)
        }
        routes.add(.put, "/users/@me/notes/{user}", access: .person) { call in
            try await services.perform(.setNote(call.id("user")), call, body: call.json())
        }
    }

    /// The short forms of the caller's guilds, asked of the guilds themselves, a few at a time.
    private func guilds(_ call: Call) async throws -> Answer {
        let limit = try call.query.integer("limit", in: 1...200) ?? 200
        let before = try call.query.snowflake("before")
        let after = try call.query.snowflake("after")
        let withCounts = try call.query.flag("with_counts") ?? false
        var ids = try await services.directory.guilds(of: call.caller.userID)
        if let before { ids = ids.filter { $0 < before } }
        if let after { ids = ids.filter { $0 > after } }
        // Before a cursor the nearest ones count, else the first ones.
        ids = before != nil && after == nil ? Array(ids.suffix(limit)) : Array(ids.prefix(limit))
        let summaries = try await boundedMap(ids, width: 16) { id -> [UInt8]? in
            do {
                let answer = try await services.guildReply(.summary(withCounts: withCounts), on: id, call)
                return answer.body
            } catch let error as APIError where error.status == 404 || error.status == 403 {
                // Left or deleted since the list was read.
                return nil
            }
        }
        return Answer.writing { writer in
            writer.beginArray()
            for case let summary? in summaries { writer.raw(summary) }
            writer.endArray()
        }
    }

    /// Protocol 9.4: only for people who have something in common, or oneself.
    private func profile(_ call: Call) async throws -> Answer {
        let id = try call.userID()
        let viewer = try call.caller.userID
        guard let user = try await services.directory.user(id) else { throw APIError.unknownUser }
        let profile = try await services.directory.profile(of: id, for: viewer)
        guard id == viewer || profile.isAcquainted || !profile.mutualGuilds.isEmpty else {
            throw APIError.missingAccess
        }
        let withGuilds = try call.query.flag("with_mutual_guilds") ?? false
        let withFriends = try call.query.flag("with_mutual_friends") ?? false
        var member: [UInt8]?
        let guild = try call.query.snowflake("guild_id")
        if let guild { member = try await services.guildReply(.member(id), on: guild, call).body }
        return Answer.writing { writer in
            writer.beginObject()
            writer.key("user")
            user.write(to: &writer)
            writer.key("user_profile")
            writer.beginObject()
            writer.field("bio", user.bio)
            writer.field("accent_color", user.accentColor)
            writer.field("pronouns", user.pronouns)
            writer.field("banner", user.banner)
            writer.endObject()
            writer.emptyListField("connected_accounts")
            writer.emptyListField("badges")
            writer.field("premium_type", 0)
            writer.nullField("premium_since")
            if withGuilds {
                writer.key("mutual_guilds")
                writer.beginArray()
                for guild in profile.mutualGuilds {
                    writer.beginObject()
                    writer.field("id", guild.id)
                    writer.field("nick", guild.nick)
                    writer.endObject()
                }
                writer.endArray()
            }
            if withFriends {
                writer.key("mutual_friends")
                writer.beginArray()
                for friend in profile.mutualFriends { friend.write(to: &writer) }
                writer.endArray()
            }
            writer.field("mutual_friends_count", profile.mutualFriends.count)
            if let guild, let member {
                writer.field("guild_member", raw: member)
                writer.key("guild_member_profile")
                writer.beginObject()
                writer.field("guild_id", guild)
                writer.endObject()
            }
            writer.endObject()
        }
    }
}
