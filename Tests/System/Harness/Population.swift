import FluxCore
import Foundation

/// People, guilds and channels on a node, made by `flux admin provision`: all are members of every guild.
struct Population: Sendable {
    struct Person: Sendable {
        let id: String
        let name: String
        /// Good for 15 minutes.
        let token: String
    }

    let people: [Person]
    let guilds: [String]
    /// The text channels of all guilds.
    let channels: [String]

    /// Makes them, or with the same prefix and numbers finds them again and hands out new tokens.
    static func make(
        on node: NodeProcess, people: Int, guilds: Int = 1, channels: Int = 1, prefix: String = "user"
    ) async throws -> Population {
        let command = try await ChildProcess.run([
            "admin", "provision", "--admin", node.adminURL, "--users", String(people), "--guilds", String(guilds),
            "--members", String(people), "--channels", String(channels), "--prefix", prefix,
        ])
        guard command.ending == .exit(0) else {
            throw HarnessError("provision: \(command.ending), \(command.errors)")
        }
        let lines = try command.output.split(separator: "\n").map { try JSON.parse(Array($0.utf8)) }
        guard lines.count == people, let first = lines.first else {
            throw HarnessError("provision wrote \(lines.count) lines")
        }
        func strings(_ name: String) -> [String] { first[name]?.arrayValue?.compactMap(\.stringValue) ?? [] }
        let made = lines.map { line in
            Person(
                id: line["user_id"]?.stringValue ?? "", name: line["username"]?.stringValue ?? "",
                token: line["access_token"]?.stringValue ?? "")
        }
        return Population(people: made, guilds: strings("guild_ids"), channels: strings("channel_ids"))
    }
}

extension NodeProcess {
    /// A client of the API that speaks for a person; nil: for nobody.
    func client(_ person: Population.Person? = nil) -> HTTPClient { HTTPClient(port: port, token: person?.token) }

    /// A gateway client of a person.
    func gateway(_ person: Population.Person, _ options: GatewayClient.Options = .init()) -> GatewayClient {
        GatewayClient(port: port, token: person.token, options: options)
    }

    /// The direct conversation of two people, made if it is not there.
    func conversation(of one: Population.Person, with other: Population.Person) async throws -> String {
        let client = client(one)
        defer { client.close() }
        let answer = try await client.send(.POST, "/api/v10/users/@me/channels", ["recipient_id": .string(other.id)])
        guard let id = answer.body["id"]?.stringValue else {
            throw HarnessError("no conversation was opened: \(answer.status) \(answer.text)")
        }
        return id
    }
}
