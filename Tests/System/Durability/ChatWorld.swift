import FluxCore
import FluxFuzzing
import NIOConcurrencyHelpers

/// Fifty people who talk at once on one node, half over REST and half over the gateway, and a few who only listen; and the
/// audit of what they were told (I2 to I5).
struct ChatWorld: Sendable {
    /// How many send in each of the two ways.
    static let sendersEach = 25
    static let listeners = 4
    /// Guilds with channels, and direct conversations.
    static let guilds = 2
    static let channelsEach = 3
    static let conversations = 4
    /// Announcements that surely come in a round, all clients together: where a fault may strike.
    static let announcements = 12_000

    private static let people = 2 * sendersEach + listeners

    let node: NodeProcess
    let ledger = SendLedger()
    /// Of each person, in the order of ``people``, the channels that they are in.
    private let places: [[String]]
    let population: Population
    /// For each channel somebody who may read it.
    private let readers: [String: Population.Person]

    /// Makes or finds the people and channels; tokens are new, good for the next 15 minutes.
    init(on node: NodeProcess) async throws {
        self.node = node
        population = try await Population.make(
            on: node, people: Self.people, guilds: Self.guilds, channels: Self.channelsEach)
        var places = Array(repeating: population.channels, count: Self.people)
        var readers = Dictionary(
            uniqueKeysWithValues: population.channels.map { [population] in ($0, population.people[0]) })
        for number in 0..<Self.conversations {
            // One who sends over REST with one on the gateway.
            let pair = (number, Self.sendersEach + number)
            let channel = try await node.conversation(of: population.people[pair.0], with: population.people[pair.1])
            try await Self.begin(channel, between: population.people[pair.0], and: population.people[pair.1], on: node)
            places[pair.0].append(channel)
            places[pair.1].append(channel)
            readers[channel] = population.people[pair.0]
        }
        self.places = places
        self.readers = readers
    }

    /// Says something in a conversation and waits until the other one's list has it: from the first message on it is theirs.
    private static func begin(
        _ channel: String, between one: Population.Person, and other: Population.Person, on node: NodeProcess
    ) async throws {
        let (speaker, hearer) = (node.client(one), node.client(other))
        defer {
            speaker.close()
            hearer.close()
        }
        let hello = try await speaker.send(.POST, "/api/v10/channels/\(channel)/messages", ["content": "hello"])
        guard hello.status == 200 else { throw HarnessError("hello: \(hello.status) \(hello.text)") }
        _ = try await eventually("a conversation on the other one's list") { () async throws -> Bool? in
            let list = try await hearer.send(.GET, "/api/v10/users/@me/channels").body.arrayValue ?? []
            return list.contains { $0["id"]?.stringValue == channel } ? true : nil
        }
    }

    /// What happens to the node or its Postgres while they talk: called once everybody is there, it returns when both
    /// are well again.
    typealias Fault = @Sendable (Progress, _ generator: inout SeededGenerator) async throws -> Void

    /// What a round was like, for the log of the test.
    struct Report: CustomStringConvertible {
        var messages = 0
        var repeats = 0
        var lostSessions = 0
        var resumptions = 0
        var clientsRolledBack = 0
        var entriesDiscarded = 0

        var description: String {
            "\(messages) messages acknowledged, \(repeats) repeats answered, \(lostSessions) sessions lost, "
                + "\(resumptions) resumed, \(entriesDiscarded) events taken back from \(clientsRolledBack) clients"
        }
    }

    /// One round: all send, the fault strikes, all is brought to its end and audited.
    /// - Parameter name: what nonces begin with.
    /// - Throws: with everything that was not as it must be.
    func round(
        _ name: String, messagesEach: Int = 16, seed: UInt64, fault: Fault
    ) async throws -> Report {
        var generator = SeededGenerator(seed: seed)
        let progress = Progress()
        let members = (Self.sendersEach..<Self.people).map { number in
            GatewayMember(
                population.people[number], on: node, channels: places[number], ledger: ledger, progress: progress)
        }
        let clients = (0..<Self.sendersEach).map { node.client(population.people[$0]) }
        defer { for client in clients { client.close() } }
        let sends = (0..<(2 * Self.sendersEach)).map { number in
            (0..<messagesEach).map { index in
                SendLedger.Send(
                    author: population.people[number].id,
                    channel: places[number].randomElement(using: &generator) ?? population.channels[0],
                    nonce: "\(name)-\(number)-\(index)")
            }
        }
        for send in sends.joined() { ledger.intend(send) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for member in members { group.addTask { try await member.begin() } }
            try await group.waitForAll()
        }

        let isOver = NIOLockedValueBox(false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await talk(sends, members, clients, &generator, in: &group, until: isOver)
            try await fault(progress, &generator)
            // The senders end by themselves; those who listen have to be told.
            for _ in 0..<(2 * Self.sendersEach) { try await group.next() }
            isOver.withLockedValue { $0 = true }
            try await group.waitForAll()
        }
        try await repeatAll(sends)
        let report = try await audit(members)
        for member in members { await member.leave() }
        return report
    }

    private func talk(
        _ sends: [[SendLedger.Send]], _ members: [GatewayMember], _ clients: [HTTPClient],
        _ generator: inout SeededGenerator, in group: inout ThrowingTaskGroup<Void, any Error>,
        until isOver: NIOLockedValueBox<Bool>
    ) async throws {
        for (number, client) in clients.enumerated() {
            let sender = RESTSender(person: population.people[number], client: client, ledger: ledger)
            group.addTask { for send in sends[number] { try await sender.send(send) } }
        }
        for (number, member) in members.enumerated() where number < Self.sendersEach {
            let width = Int.random(in: 1...4, using: &generator)
            group.addTask { try await member.send(sends[Self.sendersEach + number], atOnce: width) }
        }
        for member in members.dropFirst(Self.sendersEach) {
            group.addTask { try await member.keepListening { isOver.withLockedValue(\.self) } }
        }
    }

    /// Sends everything once more, each by the way that it did not take first: the ledger notes an answer that differs.
    private func repeatAll(_ sends: [[SendLedger.Send]]) async throws {
        let before = ledger.repeats
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, own) in sends.enumerated() {
                let person = population.people[number]
                group.addTask { [self] in
                    if number < Self.sendersEach {
                        try await repeatOverGateway(own, by: person)
                    } else {
                        let client = node.client(person)
                        defer { client.close() }
                        let sender = RESTSender(person: person, client: client, ledger: ledger)
                        for send in own { try await sender.send(send) }
                    }
                }
            }
            try await group.waitForAll()
        }
        let repeated = ledger.repeats - before
        guard repeated >= sends.joined().count else {
            throw HarnessError("\(repeated) of \(sends.joined().count) repeats were answered")
        }
    }

    private func repeatOverGateway(_ sends: [SendLedger.Send], by person: Population.Person) async throws {
        let gateway = node.gateway(person)
        defer { gateway.dropTCP() }
        try await gateway.identify()
        for send in sends { gateway.sendMessage("message \(send.nonce)", to: send.channel, nonce: send.nonce) }
        for send in sends {
            let answer = try await gateway.acknowledgement(of: send.nonce)
            guard let id = answer.messageID, let seq = answer.seq else {
                throw HarnessError("a repeat of \(send.nonce) was answered with \(answer.body)")
            }
            ledger.acknowledge(send, .init(id: id, seq: seq))
        }
    }

    private func audit(_ members: [GatewayMember]) async throws -> Report {
        var logs: [String: ChannelLog] = [:]
        for (channel, reader) in readers {
            let client = node.client(reader)
            logs[channel] = try await ChannelLog.read(channel, with: client)
            client.close()
        }
        let ends = logs.mapValues(\.lastSeq)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for member in members {
                group.addTask { [logs, places, population] in
                    let number = population.people.firstIndex { $0.id == member.person.id } ?? 0
                    try await member.reach(ends.filter { places[number].contains($0.key) && logs[$0.key] != nil })
                }
            }
            try await group.waitForAll()
        }
        var found = ledger.violations
        for log in logs.values { found += log.violations(of: ledger) }
        let unanswered = Set(ledger.intents).subtracting(ledger.answers.keys)
        if !unanswered.isEmpty { found.append("never acknowledged: \(unanswered.map(\.nonce).sorted())") }
        var report = Report(messages: ledger.answers.count, repeats: ledger.repeats)
        for member in members {
            found += await member.complaints(against: logs)
            let discarded = await member.discarded
            report.entriesDiscarded += discarded
            report.clientsRolledBack += discarded > 0 ? 1 : 0
            report.lostSessions += await member.lostSessions
            report.resumptions += await member.resumptions
        }
        guard found.isEmpty else {
            throw HarnessError(
                "\(found.count) things are wrong:\n" + found.prefix(40).joined(separator: "\n"))
        }
        return report
    }
}
