import ArgumentParser
import FluxCore
import FluxSecurity

/// `flux node token`: what lets new nodes in.
struct NodeTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make, list and revoke the tokens with which nodes join.",
        subcommands: [Create.self, List.self, Revoke.self])

    /// `flux node token create`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token that lets one node in.",
            discussion: """
                The token is alone on the last line. It names the cluster and its authority, and holds a secret that is \
                good once and until it expires; nobody can show it again.
                """)

        @OptionGroup var options: AdminOptions

        @Option(help: "How long it is good: 1s to 30d (s, m, h or d).")
        var ttl = TimeText.text(.seconds(JoinToken.defaultLifetimeSeconds))

        private var seconds: Int? {
            TimeText.parse(ttl).map { Int($0.components.seconds) }.flatMap {
                ClusterAdministration.tokenLifetimes.contains($0) ? $0 : nil
            }
        }

        mutating func validate() throws {
            guard seconds != nil else { throw ValidationError("--ttl \(ttl): expected a time from 1s to 30d") }
        }

        func run() async throws {
            let answer = try await options.client().call(
                .POST, ClusterRoutes.root + "/tokens", body: ["ttl_seconds": JSON(seconds ?? 0)])
            options.show(answer) { answer in
                let (token, address) = (answer["token"]?.stringValue ?? "", answer["address"]?.stringValue ?? "")
                return [
                    "Lets one node join until \(TextTable.moment(answer["expires_at"])):",
                    "  flux node join \(address) --token TOKEN --cluster-listen ADDRESS:PORT",
                    "", token,
                ]
            }
        }
    }

    /// `flux node token ls`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the tokens: unused ones, used ones and by whom, expired ones.")

        @OptionGroup var options: AdminOptions

        func run() async throws {
            let answer = try await options.client().call(.GET, ClusterRoutes.root + "/tokens")
            options.show(answer) { answer in
                let rows = (answer["tokens"]?.arrayValue ?? []).map { token in
                    [
                        token["id"]?.stringValue ?? "", token["state"]?.stringValue ?? "",
                        TextTable.moment(token["created_at"]), TextTable.moment(token["expires_at"]),
                        token["used_by"]?.stringValue ?? "-",
                    ]
                }
                return TextTable.lines([["ID", "STATE", "CREATED", "EXPIRES", "USED BY"]] + rows)
            }
        }
    }

    /// `flux node token revoke`.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a token, so that it lets nobody in any more.",
            discussion: "A node that joined with it stays a member. A token that is gone already is no error.")

        @OptionGroup var options: AdminOptions

        @Argument(help: "Its id, as `flux node token ls` shows it, or the token itself.")
        var token: String

        func run() async throws {
            // An id as it is: nothing in it needs escaping, and what does is neither an id nor a token.
            guard token.utf8.allSatisfy({ $0.isTokenByte }), !token.isEmpty else {
                throw CommandFailure(.usage, "\(token): neither a token nor the id of one (`flux node token ls`)")
            }
            let answer = try await options.client().call(.DELETE, ClusterRoutes.root + "/tokens/\(token)")
            options.show(answer) { answer in
                [answer["revoked"]?.boolValue == true ? "revoked" : "there is no such token (any more)"]
            }
        }
    }
}

extension UInt8 {
    /// A letter, a digit, - or _.
    fileprivate var isTokenByte: Bool {
        (97...122).contains(self) || (65...90).contains(self) || (48...57).contains(self) || self == 45 || self == 95
    }
}
