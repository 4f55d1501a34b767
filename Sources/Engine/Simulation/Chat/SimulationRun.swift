import FluxCore

/// One seed's world from its beginning to its audit.
public struct SimulationRun: Sendable {
    /// What came of it.
    public struct Report: Sendable {
        /// The seed that repeats it.
        public var seed: UInt64
        /// What clients asked for.
        public var operations: Int
        /// What was broken on purpose.
        public var faults: Int
        /// What should not have happened, with its moment.
        public var violations: [String]
        /// What happened, if it was wanted.
        public var trace: [String]
        /// The same for the same history, and most likely another one for another.
        public var digest: UInt64
    }

    /// How long after the last fault everything must have come to rest.
    private static let restLimit = Duration.seconds(90)

    /// Runs a world. It ends at the first violation.
    public static func run(
        seed: UInt64, _ configuration: SimulationConfiguration = SimulationConfiguration(),
        planting bug: PlantedBug? = nil, isTraced: Bool = false
    ) -> Report {
        let world = ChatWorld(seed: seed, configuration: configuration, bug: bug, isTraced: isTraced)
        let end = Duration.seconds(configuration.seconds)
        world.beginWork(until: end)
        world.run(until: end)
        if world.auditor.violations.isEmpty {
            world.heal()
            repeat {
                world.run(until: end + restLimit) { world.isAtRest }
                // What is still on its way arrives, and may begin something; and each node says once more what it follows.
                world.run(until: world.now + .seconds(6))
            } while !world.isAtRest && world.now < end + restLimit && world.auditor.violations.isEmpty
            if world.auditor.violations.isEmpty { world.audit() }
        }
        let auditor = world.auditor
        world.dismantle()
        return Report(
            seed: seed, operations: auditor.operations, faults: auditor.faults, violations: auditor.violations,
            trace: auditor.lines, digest: auditor.digest)
    }
}

extension ChatWorld {
    /// Whether everybody has what they asked for and nothing is under way.
    var isAtRest: Bool {
        clients.allSatisfy(\.isSettled) && moderation.isSettled
            && nodes.all.allSatisfy {
                $0.isRunning && !$0.isPaused && $0.lane.rowCount == 0 && $0.held.isEmpty && $0.calls.isEmpty
                    && $0.arrivals.isEmpty && $0.claims.isEmpty
            }
    }

    /// Looks through what is left: nothing acknowledged is lost, nothing is there twice, and every client shows what is stored.
    func audit() {
        guard isAtRest else {
            let waiting = clients.filter { !$0.isSettled }.map { "client \($0.number): \($0.state)" }
            let busy = nodes.all.map(\.state)
            return auditor.violate(now, "it does not come to rest: \(waiting), \(busy)")
        }
        auditAccess()
        let standings = guilds.flatMap(\.channels).map { ($0, self.standings(in: $0)) }
        let stored = Set(messages.logs.values.lazy.flatMap(\.order))
        for client in clients {
            for (channel, standings) in standings { audit(channel, standings, of: client) }
            let lost = client.acknowledged.filter { !stored.contains($0.value) }
            for (send, message) in lost.sorted(by: { $0.key < $1.key }) {
                auditor.violate(now, "I3: \(message), nonce \(client.number).\(send), was acknowledged and is lost")
            }
        }
    }

    /// What is stored of a message.
    private struct Standing {
        let message: MessageID
        let sequence: SequenceNumber
        let version: Int
        let isDeleted: Bool
    }

    /// What is stored of the channel's messages, by their places in the ledger; nil for one that was never committed.
    private func standings(in channel: ChannelID) -> [Standing?] {
        let log = messages.log(of: channel)
        return (ledger.messages[channel] ?? []).map { message in
            log.rows[message].map {
                Standing(message: message, sequence: $0.message.seq, version: $0.version, isDeleted: $0.isDeleted)
            }
        }
    }

    private func audit(_ channel: ChannelID, _ standings: [Standing?], of client: ChatClient) {
        let log = messages.log(of: channel)
        guard let view = client.views[channel], let base = view.base else { return }
        let name = "client \(client.number), channel \(channel)"
        if view.head.sequence != log.head.sequence, !onlyVoids(after: view.head.sequence, in: log, channel) {
            auditor.violate(now, "I6: \(name): stands at \(view.head.sequence), the log at \(log.head.sequence)")
        }
        // All are looked at; what is wrong is named in order.
        var wrong: [(message: MessageID, isThere: Bool)] = []
        var missing: [MessageID] = []
        for (place, standing) in standings.enumerated() {
            let isThere = standing.map { !$0.isDeleted } ?? false
            if let shown = view.messages[place] {
                if !isThere || standing?.version != shown, let message = ledger.messages[channel]?[place] {
                    wrong.append((message, isThere))
                }
            } else if let standing, isThere, standing.sequence > base.sequence {
                missing.append(standing.message)
            }
        }
        for (message, isThere) in wrong.sorted(by: { $0.message < $1.message }) {
            auditor.violate(now, "I5: \(name): \(isThere ? "shows another state of" : "still shows") \(message)")
        }
        auditReactions(of: client, in: channel, shownSince: base.sequence)
        for message in missing.sorted() { auditor.violate(now, "I6: \(name): does not show \(message)") }
    }

    private func onlyVoids(after sequence: SequenceNumber, in log: MessageDatabase.Log, _ channel: ChannelID) -> Bool {
        guard sequence < log.head.sequence else { return false }
        return (sequence + 1...log.head.sequence).allSatisfy { messages.isVoid($0, in: channel) }
    }
}
