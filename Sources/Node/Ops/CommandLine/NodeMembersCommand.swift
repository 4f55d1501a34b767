import ArgumentParser
import FluxCore

extension NodeCommand {
    /// `flux node ls`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the nodes of the cluster.",
            discussion: """
                State: active takes part; draining gives its slots away; left has gone in good order and may be started \
                again; dead is one of the first two whose heartbeats have stopped.
                """)

        @OptionGroup var options: AdminOptions

        func run() async throws {
            let answer = try await options.client().call(.GET, ClusterRoutes.root + "/nodes")
            options.show(answer) { answer in
                let rows = (answer["nodes"]?.arrayValue ?? []).map { node in
                    [
                        node["name"]?.stringValue ?? "", "\(node["id"]?.intValue ?? 0)",
                        node["address"]?.stringValue ?? "", NodeCommand.state(node), "\(node["slots"]?.intValue ?? 0)",
                        TextTable.moment(node["started_at"]),
                    ]
                }
                return TextTable.lines([["NAME", "ID", "ADDRESS", "STATE", "SLOTS", "STARTED"]] + rows)
            }
        }
    }

    /// `flux node status`.
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one node, and how the cluster looks from it.")

        @OptionGroup var options: AdminOptions

        func run() async throws {
            let answer = try await options.client().call(.GET, ClusterRoutes.root + "/status")
            options.show(answer) { answer in
                let node = answer["node"] ?? [:]
                return TextTable.lines([
                    ["node", "\(answer["name"]?.stringValue ?? "") (\(answer["id"]?.intValue ?? 0))"],
                    ["cluster", answer["cluster"]?.stringValue ?? ""],
                    ["address", answer["address"]?.stringValue ?? ""],
                    ["version", "\(answer["version"]?.stringValue ?? ""), wire \(answer["wire"]?.stringValue ?? "")"],
                    ["ready", answer["ready"]?.boolValue == true ? "yes" : "no"],
                    ["state", NodeCommand.state(node)], ["slots", "\(node["slots"]?.intValue ?? 0) of \(Slot.count)"],
                    ["certified until", TextTable.moment(node["certified_until"])],
                    ["alive", "\(answer["alive"]?.intValue ?? 0) of \(answer["members"]?.intValue ?? 0) nodes"],
                ])
            }
        }
    }

    /// `flux node remove`.
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a dead node for good.",
            discussion: """
                Its certificate is accepted no longer, its slots are free, its name may be given again. A node that lives \
                is refused: it leaves by `flux node leave`. One that was removed already is no error.
                """)

        @OptionGroup var options: AdminOptions

        @Argument(help: "The node's name.")
        var name: String

        func run() async throws {
            guard ConfigurationValueType<String>.nodeName.parse(.scalar(name)) != nil else {
                throw CommandFailure(.usage, "\(name): no node can have this name")
            }
            let answer = try await options.client().call(.DELETE, ClusterRoutes.root + "/nodes/\(name)")
            options.show(answer) { answer in
                [answer["removed"]?.boolValue == true ? "removed" : "was removed before"]
            }
        }
    }

    /// A node's state in a word.
    private static func state(_ node: JSON) -> String {
        let state = node["state"]?.stringValue ?? "unknown"
        return state != "left" && node["alive"]?.boolValue == false ? "dead" : state
    }
}
