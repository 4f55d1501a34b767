import FluxCore
import FluxRealtime

/// Messages (protocol 5.5).
struct MessageRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        let path = "/channels/{channel}/messages"
        routes.add(.get, path, access: .user) { call in
            let limit = try call.query.integer("limit", in: 1...100) ?? 50
            return try await services.perform(.history(page(of: call), limit: limit), on: call.id("channel"), call)
        }
        routes.add(.get, path + "/{message}", access: .user) { call in
            try await services.perform(.message(call.id("message")), on: call.id("channel"), call)
        }
        routes.add(.post, path, access: .user, limit: .messageCreate) { call in
            try await write(call) { .send(attachments: $0) }
        }
        routes.add(.patch, path + "/{message}", access: .user, limit: .messageChange) { call in
            let message = try call.id("message")
            return try await write(call) { .edit(message, attachments: $0) }
        }
        routes.add(.delete, path + "/{message}", access: .user, limit: .messageChange) { call in
            try await services.perform(.delete(call.id("message")), on: call.id("channel"), call)
        }
        routes.add(.post, path + "/bulk-delete", access: .user, limit: .bulkDelete) { call in
            try await services.perform(.bulkDelete, on: call.id("channel"), call, body: call.json())
        }
    }

    private func page(of call: Call) throws(APIError) -> ChannelOperation.Page {
        let before = try call.query.snowflake("before")
        let after = try call.query.snowflake("after")
        let around = try call.query.snowflake("around")
        switch (before, after, around) {
        case (nil, nil, nil): return .newest
        case (let before?, nil, nil): return .before(before)
        case (nil, let after?, nil): return .after(after)
        case (nil, nil, let around?): return .around(around)
        default:
            throw .form(["before"], code: "BASE_TYPE_CHOICES", message: "Give at most one of before, after and around.")
        }
    }

    /// Creates or edits a message, with files if the body is a form.
    ///
    /// The files are kept before the message is written, because the message names them; if the channel then refuses it,
    /// they are forgotten. Who cannot even see the channel is refused before a file is read.
    private func write(
        _ call: Call, _ operation: @Sendable ([Attachment]) -> ChannelOperation
    ) async throws -> Answer {
        let channel = try call.id("channel")
        guard call.contentType == "multipart/form-data" else {
            return try await services.perform(operation([]), on: channel, call, body: call.json())
        }
        _ = try await services.channelReply(.get, on: channel, call)
        let form = try await MultipartForm.read(call.request, limits: services.multipart, spool: services.spool)
        let kept = try await services.attachments.keep(form.files, describedBy: form.payload, in: channel)
        let attachments = kept.map(\.attachment)
        do {
            let body = form.payload ?? .object(JSONObject())
            return try await services.perform(operation(attachments), on: channel, call, body: body)
        } catch let error as APIError where error != .serviceUnavailable {
            // Refused for sure. After an outcome that is not known the message may stand and need its files.
            await services.attachments.discard(attachments, in: channel)
            throw error
        }
    }
}
