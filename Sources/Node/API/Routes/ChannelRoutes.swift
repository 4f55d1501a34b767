import FluxCore
import FluxRealtime

/// Channels, their overwrites and typing (protocol 5.5).
struct ChannelRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        let path = "/channels/{channel}"
        routes.add(.get, path, access: .user) { call in
            try await services.perform(ChannelOperation.get, on: call.id("channel"), call)
        }
        routes.add(.patch, path, access: .user, limit: .guildChange) { call in
            let channel = try call.id("channel")
            return try await services.performInGuild(of: channel, call, body: call.json(), .updateChannel(channel))
        }
        routes.add(.delete, path, access: .user, limit: .guildChange) { call in
            let channel = try call.id("channel")
            if let guild = try await services.engine.guild(of: channel) {
                return try await services.perform(.deleteChannel(channel), on: guild, call)
            }
            return try await services.perform(.closeDirectMessage(channel), call)
        }
        routes.add(.put, path + "/permissions/{overwrite}", access: .user, limit: .guildChange) { call in
            let channel = try call.id("channel")
            return try await services.performInGuild(
                of: channel, call, body: call.json(), .setOverwrite(channel, target: call.id("overwrite")))
        }
        routes.add(.delete, path + "/permissions/{overwrite}", access: .user, limit: .guildChange) { call in
            let channel = try call.id("channel")
            return try await services.performInGuild(
                of: channel, call, .deleteOverwrite(channel, target: call.id("overwrite")))
        }
        routes.add(.post, path + "/typing", access: .user, limit: .typing) { call in
            try await services.perform(.typing, on: call.id("channel"), call)
        }
    }
}
