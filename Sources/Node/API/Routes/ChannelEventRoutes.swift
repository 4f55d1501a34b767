import FluxCore
import FluxRealtime

/// The event logs of channels (protocol 10.5).
struct ChannelEventRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        routes.add(.get, "/channels/{channel}/events", access: .user) { try await one($0) }
        routes.add(.post, "/channels/events", access: .user) { try await many($0) }
    }

    private func one(_ call: Call) async throws -> Answer {
        guard let after = try call.query.integer("after_seq", in: 0...Int.max) else {
            throw APIError.form(["after_seq"], code: "BASE_TYPE_REQUIRED", message: "This field is required")
        }
        let limit = try call.query.integer("limit", in: 1...500) ?? 100
        let epoch = try call.query.integer("epoch", in: 0...Int.max)
        return try await services.perform(
            .events(after: SequenceNumber(after), limit: limit, epoch: epoch.map { Epoch($0) }), on: call.id("channel"),
            call)
    }

    /// One channel of a request for many.
    private struct Wish: Sendable {
        let channel: ChannelID
        let after: SequenceNumber
        let epoch: Epoch?
    }

    /// The logs of up to 100 channels, those that answer. One that the caller may no longer read has `error` in place of
    /// events, so that the client can tell it from one without news.
    private func many(_ call: Call) async throws -> Answer {
        let wishes = try Self.wishes(in: await call.json())
        let answers = try await boundedMap(wishes, width: 16) { wish -> (ChannelID, Result<[UInt8], APIError>) in
            do {
                let operation = ChannelOperation.events(after: wish.after, limit: 500, epoch: wish.epoch)
                return (wish.channel, .success(try await services.channelReply(operation, on: wish.channel, call).body))
            } catch let error as APIError where error.status == 403 || error.status == 404 {
                return (wish.channel, .failure(error))
            }
        }
        return Answer.writing { writer in
            writer.beginObject()
            writer.key("channels")
            writer.beginArray()
            for (channel, answer) in answers {
                writer.beginObject()
                writer.field("id", channel)
                switch answer {
                case .success(let body):
                    // The members of the reply's object, without its braces.
                    writer.rawMembers(Array(body.dropFirst().dropLast()))
                case .failure(let error):
                    writer.field("error", raw: error.encoded())
                }
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
    }

    private static func wishes(in body: JSON) throws(APIError) -> [Wish] {
        guard let list = body["channels"]?.arrayValue, (1...100).contains(list.count) else {
            throw .form(["channels"], code: "BASE_TYPE_BAD_LENGTH", message: "Must be between 1 and 100 in length.")
        }
        var wishes: [Wish] = []
        for (index, entry) in list.enumerated() {
            let path = ["channels", String(index)]
            guard let channel = entry["id"]?.snowflakeValue else {
                throw .form(path + ["id"], code: "NUMBER_TYPE_COERCE", message: "Value is not a snowflake.")
            }
            guard let after = entry["after_seq"]?.intValue, after >= 0 else {
                throw .form(path + ["after_seq"], code: "NUMBER_TYPE_MIN", message: "Must be at least 0.")
            }
            wishes.append(
                Wish(
                    channel: channel, after: SequenceNumber(after), epoch: entry["epoch"]?.intValue.map { Epoch($0) }))
        }
        return wishes
    }
}
