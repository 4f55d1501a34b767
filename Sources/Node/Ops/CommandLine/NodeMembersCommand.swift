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
            abstract: "Show one node, and how the cluster looks from it.",
            discussion: """
                What `flux node ls` shows stands in Postgres; this shows what the node itself sees: whom it holds alive, to \
                whom it has links, who owns how many slots.
                """)

        @OptionGroup var options: AdminOptions

        func run() async throws {
            let answer = try await options.client().call(.GET, ClusterRoutes.root + "/status")
            options.show(answer) { answer in
                let reasons = answer["reasons"]?.arrayValue?.compactMap(\.stringValue) ?? []
                let node = answer["node"] ?? [:]
                let own = TextTable.lines([
                    ["node", "\(answer["name"]?.stringValue ?? "") (\(answer["id"]?.intValue ?? 0))"],
                    ["cluster", answer["cluster"]?.stringValue ?? ""],
                    ["address", answer["address"]?.stringValue ?? ""],
                    ["version", "\(answer["version"]?.stringValue ?? ""), wire \(answer["wire"]?.stringValue ?? "")"],
                    ["ready", reasons.isEmpty ? "yes" : "no: " + reasons.joined(separator: "; ")],
                    ["state", NodeCommand.state(node)],
                    ["certified until", TextTable.moment(node["certified_until"])],
                    ["unowned slots", "\(answer["unowned_slots"]?.intValue ?? 0) of \(Slot.count)"],
                ])
                let members = (answer["view"]?.arrayValue ?? []).map { member in
                    [
                        member["name"]?.stringValue ?? "", member["health"]?.stringValue ?? "",
                        Self.word(member["ready"]), Self.word(member["postgres"]), Self.word(member["linked"]),
                        "\(member["slots"]?.intValue ?? 0)",
                    ]
                }
                return own + [""]
                    + TextTable.lines([["NAME", "HEALTH", "READY", "POSTGRES", "LINKED", "SLOTS"]] + members)
            }
        }

        private static func word(_ value: JSON?) -> String {
            switch value?.boolValue {
            case true?: "yes"
            case false?: "no"
            case nil: "?"
            }
        }
    }

    /// `flux node drain`.
    struct Drain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give all slots and clients of a node to the others, and keep it running.",
            discussion: """
                Returns when nothing is left to give away. The node is not ready, and gets neither slots nor clients until \
                `flux node undrain` or its next start. Sessions go on, on the nodes that their clients come to. The only \
                node of a cluster has nobody to give anything to, and keeps what it has.

                Exit status 16: the node still has slots, and reaches none of the others or at most half of the cluster, so \
                nobody can take them; 1: it still has slots for another reason, which is said. A drain that failed stays in \
                force: `flux node undrain` ends it, and the same command tries again.
                """)

        /// Longer than the node takes: a minute for its slots, ten seconds for its clients, and the answers of Postgres.
        static let patience = ClusterAdministration.drainTime + .seconds(60)

        @OptionGroup var options: AdminOptions

        func run() async throws {
            let answer = try await options.client().call(
                .POST, ClusterRoutes.root + "/drain", within: Self.patience,
                ifUnanswered: ClusterAdministration.mayDrain)
            options.show(answer) { _ in ["drained"] }
        }
    }

    /// `flux node undrain`.
    struct Undrain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a drained node take its share of the slots again.")

        @OptionGroup var options: AdminOptions

        func run() async throws {
            let answer = try await options.client().call(.POST, ClusterRoutes.root + "/undrain")
            options.show(answer) { _ in ["takes part again"] }
        }
    }

    /// `flux node leave`.
    struct Leave: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a node leave the cluster in good order, and end its process.",
            discussion: """
                Drains the node, commits everything that was accepted, and ends the process; returns when it has ended. A node \
                that cannot be drained does not leave: the exit statuses are those of `flux node drain`, and the node goes on, \
                draining; but the last one that has not left goes. SIGTERM ends it in any case; the others then take its \
                slots when it is gone. A node that has left is still a member and may be started again; `flux node remove` \
                on another node makes it none. A service manager that starts it again after an end with status 0 makes it \
                a node that takes part again.

                A node that has left answers nobody, so a repeated command fails with status 17. With --data-dir it looks \
                there, and it is no error.
                """)

        /// Longer than a drained node takes to end what is open.
        private static let patience = Duration.seconds(90)

        @OptionGroup var options: AdminOptions

        @Option(
            help: "The node's data directory on this machine: tells whether a node that does not answer has left.",
            completion: .directory)
        var dataDir: String?

        func run() async throws {
            let client = try options.client()
            let answer: JSON
            do {
                answer = try await client.call(
                    .POST, ClusterRoutes.root + "/leave", within: Drain.patience,
                    ifUnanswered: "The node may leave all the same.")
            } catch let failure as CommandFailure where failure.status == .noNode && hasLeft {
                options.show(["leaving": false]) { _ in ["has left already"] }
                return
            }
            let end = ContinuousClock.now + Self.patience
            while await client.isAnswered() {
                guard ContinuousClock.now < end else {
                    throw CommandFailure(
                        .failure, "the node has not ended after \(TimeText.text(Self.patience)); see its log")
                }
                try await Task.sleep(for: .milliseconds(100))
            }
            options.show(answer) { _ in ["left"] }
        }

        private var hasLeft: Bool { dataDir.map(DepartureMark.isIn) ?? false }
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
