import FluxCore
import FluxRealtime

/// What the resource routes share.
public struct Services: Sendable {
    /// Performs commands.
    public let engine: any Engine
    /// Looks things up.
    public let directory: any Directory
    /// Keeps avatars, icons and banners.
    public let images: ImageStore
    /// Keeps the files of messages.
    public let attachments: AttachmentStore
    /// Keeps uploads while they arrive.
    public let spool: UploadSpool
    /// The most that a message with files may hold.
    public let multipart: MultipartLimits
    /// Where gateways connect, such as `ws://127.0.0.1:8080/`; without query, because nextcord appends one.
    public let gatewayURL: String

    /// Makes the set. The public origin is `http://…` or `https://…` without a path.
    public init(
        engine: any Engine, directory: any Directory, storage: any ObjectStorage, spool: UploadSpool,
        multipart: MultipartLimits = MultipartLimits(), publicOrigin: String
    ) {
        self.engine = engine
        self.directory = directory
        images = ImageStore(storage: storage)
        attachments = AttachmentStore(storage: storage)
        self.spool = spool
        self.multipart = multipart
        gatewayURL = publicOrigin.replacing(/^http/, with: "ws") + "/"
    }

    /// Adds every resource's routes, files included.
    public func register(in routes: RouteTable, storage: any ObjectStorage) {
        FileRoutes(storage: storage).register(in: routes)
        GatewayRoutes(services: self).register(in: routes)
        UserRoutes(services: self).register(in: routes)
        RelationshipRoutes(services: self).register(in: routes)
        ReadStateRoutes(services: self).register(in: routes)
        DirectMessageRoutes(services: self).register(in: routes)
        GuildRoutes(services: self).register(in: routes)
        MemberRoutes(services: self).register(in: routes)
        BanRoutes(services: self).register(in: routes)
        RoleRoutes(services: self).register(in: routes)
        InviteRoutes(services: self).register(in: routes)
        ChannelRoutes(services: self).register(in: routes)
        ChannelEventRoutes(services: self).register(in: routes)
        MessageRoutes(services: self).register(in: routes)
        PinRoutes(services: self).register(in: routes)
        ReactionRoutes(services: self).register(in: routes)
    }

    /// Performs a guild operation for a call. Every request draws its own idempotency key, so that repeats between nodes
    /// are one change.
    func perform(
        _ operation: GuildOperation, on guild: GuildID, _ call: Call, body: JSON = .null
    ) async throws -> Answer {
        Answer(try await guildReply(operation, on: guild, call, body: body))
    }

    /// The reply of a guild to an operation, for answers that are put together from several.
    func guildReply(
        _ operation: GuildOperation, on guild: GuildID, _ call: Call, body: JSON = .null
    ) async throws -> CommandReply {
        let command = GuildCommand(
            caller: try Self.caller(of: call), reason: call.auditLogReason,
            idempotencyKey: .random(in: 1 ... .max), operation: operation, body: body)
        return try await engine.perform(command, on: guild)
    }

    /// Performs a channel operation for a call.
    func perform(
        _ operation: ChannelOperation, on channel: ChannelID, _ call: Call, body: JSON = .null
    ) async throws -> Answer {
        Answer(try await channelReply(operation, on: channel, call, body: body))
    }

    /// The reply of a channel to an operation, for answers that are put together from several.
    func channelReply(
        _ operation: ChannelOperation, on channel: ChannelID, _ call: Call, body: JSON = .null
    ) async throws -> CommandReply {
        let command = ChannelCommand(
            caller: try Self.caller(of: call), reason: call.auditLogReason,
            idempotencyKey: .random(in: 1 ... .max), operation: operation, body: body)
        return try await engine.perform(command, on: channel)
    }

    /// Performs an operation on the caller's account.
    func perform(_ operation: UserOperation, _ call: Call, body: JSON = .null) async throws -> Answer {
        let command = UserCommand(
            caller: try Self.caller(of: call), idempotencyKey: .random(in: 1 ... .max), operation: operation,
            body: body)
        return Answer(try await engine.perform(command))
    }

    /// Performs an operation on a channel that only channels of guilds know; 403/50003 in a direct conversation.
    func performInGuild(
        of channel: ChannelID, _ call: Call, body: JSON = .null, _ operation: GuildOperation
    ) async throws -> Answer {
        guard let guild = try await engine.guild(of: channel) else { throw APIError.notInDirectMessage }
        return try await perform(operation, on: guild, call, body: body)
    }

    /// The caller as actors know them; nobody on routes for anyone.
    private static func caller(of call: Call) throws(APIError) -> Caller {
        guard let credential = call.credential else { return .nobody }
        return Caller(userID: credential.userID, isBot: credential.isBot)
    }
}

extension Answer {
    /// 200 with the JSON that `write` writes.
    static func writing(_ write: (inout JSONWriter) -> Void) -> Answer {
        var writer = JSONWriter()
        write(&writer)
        return .json(writer.bytes)
    }

    /// What an actor replied, as the answer to the request.
    init(_ reply: CommandReply) {
        self = reply.body.isEmpty ? Answer(status: reply.status) : .json(reply.body, status: reply.status)
    }
}
