import FluxCore
import FluxRealtime
import FluxSecurity

/// Invites (protocol 5.4).
struct InviteRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        routes.add(.post, "/channels/{channel}/invites", access: .user, limit: .guildChange) { call in
            let channel = try call.id("channel")
            return try await services.performInGuild(
                of: channel, call, body: call.json(), .createInvite(channel, code: Self.newCode()))
        }
        routes.add(.get, "/channels/{channel}/invites", access: .user) { call in
            let channel = try call.id("channel")
            return try await services.performInGuild(of: channel, call, .listInvites(channel))
        }
        routes.add(.get, "/guilds/{guild}/invites", access: .user) { call in
            try await services.perform(.listInvites(nil), on: call.id("guild"), call)
        }
        routes.add(.get, "/invites/{code}", access: .anyone) { call in
            let withCounts = try call.query.flag("with_counts") ?? false
            return try await perform(call) { .invite(code: $0, withCounts: withCounts) }
        }
        routes.add(.post, "/invites/{code}", access: .person) { call in
            try await perform(call, body: call.json()) { .acceptInvite(code: $0) }
        }
        routes.add(.delete, "/invites/{code}", access: .user, limit: .guildChange) { call in
            try await perform(call) { .deleteInvite(code: $0) }
        }
    }

    private func perform(
        _ call: Call, body: JSON = .null, _ operation: (String) -> GuildOperation
    ) async throws -> Answer {
        let code = try call.text("code")
        guard (1...32).contains(code.utf8.count), let guild = try await services.directory.guild(ofInvite: code) else {
            throw APIError.unknownInvite
        }
        return try await services.perform(operation(code), on: guild, call, body: body)
    }

    /// 10 letters and digits without those that look alike: 58 bits, so that invites cannot be found by trying.
    private static func newCode() -> String {
        let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789".utf8)
        // 57 letters: the bias of a 64-bit remainder is far below anything that could be seen.
        let letters = (0..<10).map { _ in
            alphabet[Int(SecureRandom.bytes(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) } % UInt64(alphabet.count))]
        }
        return String(decoding: letters, as: UTF8.self)
    }
}
