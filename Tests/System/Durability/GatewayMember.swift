import FluxCore

/// A person on the gateway who listens, sends with op 100, and comes back after every loss: RESUME, then IDENTIFY, then
/// the log of each channel that has moved (protocol 10.5), then what was not acknowledged once more.
actor GatewayMember {
    let person: Population.Person
    private let client: HTTPClient
    private let gateway: GatewayClient
    private let channels: [String]
    private let ledger: SendLedger

    /// What it believes, by channel.
    private(set) var views: [String: ChannelView] = [:]
    /// What a server must not do, as it has noticed.
    private(set) var violations: [String] = []
    /// How often RESUME was answered with INVALID_SESSION.
    private(set) var lostSessions = 0
    private(set) var resumptions = 0
    private var absorbed = 0
    /// Where the last READY said that each channel stands.
    private var announced: [String: ChannelView.Position] = [:]
    /// Whether the logs that READY showed to have moved have not all been asked for.
    private var owesCatchUp = false
    /// What left on this connection, in order, and how many acknowledgements came before it.
    private var sentHere: [SendLedger.Send] = []
    private var acknowledgedBefore = 0

    init(
        _ person: Population.Person, on node: NodeProcess, channels: [String], ledger: SendLedger, progress: Progress
    ) {
        self.person = person
        self.channels = channels
        self.ledger = ledger
        client = node.client(person)
        var options = GatewayClient.Options()
        options.observer = { if $0.kind == "MESSAGE_CREATE" { progress.announced() } }
        gateway = node.gateway(person, options)
    }

    /// Begins the first session; what comes from now on is its business.
    func begin() async throws {
        let ready = try await gateway.identify()
        for (channel, head) in Self.heads(in: ready.data) where channels.contains(channel) {
            views[channel] = ChannelView(from: head)
        }
        guard views.count == channels.count else {
            throw HarnessError("READY tells \(views.count) of \(channels.count) channels")
        }
        absorb()
    }

    /// Where each channel stands, as READY tells a person.
    private static func heads(in ready: JSON) -> [String: ChannelView.Position] {
        let guilds = ready["guilds"]?.arrayValue ?? []
        let channels =
            guilds.flatMap { $0["channels"]?.arrayValue ?? [] } + (ready["private_channels"]?.arrayValue ?? [])
        var heads: [String: ChannelView.Position] = [:]
        for channel in channels {
            guard let id = channel["id"]?.stringValue, let seq = channel["last_seq"]?.intValue,
                let epoch = channel["epoch"]?.intValue
            else { continue }
            heads[id] = ChannelView.Position(seq: seq, epoch: epoch)
        }
        return heads
    }

    // MARK: Sending

    /// Sends all, a few at a time, and returns when each is acknowledged.
    func send(_ sends: [SendLedger.Send], atOnce width: Int) async throws {
        var rest = sends[...]
        while !rest.isEmpty {
            let batch = rest.prefix(width)
            rest = rest.dropFirst(batch.count)
            try await deliver(Array(batch))
        }
    }

    private func deliver(_ batch: [SendLedger.Send]) async throws {
        var open = batch
        let end = ContinuousClock.now + .seconds(180)
        while true {
            for send in open { put(send) }
            var refused: [SendLedger.Send] = []
            do {
                while let send = open.first {
                    let answer = try await gateway.acknowledgement(of: send.nonce)
                    open.removeFirst()
                    if !take(answer, of: send) { refused.append(send) }
                }
            } catch GatewayClient.Failure.connectionEnded {
                checkOrder()
                try await comeBack()
            }
            open = refused + open
            if open.isEmpty { return checkOrder() }
            guard ContinuousClock.now < end else { throw HarnessError("\(open) found no acknowledgement") }
            if !refused.isEmpty { try await Task.sleep(for: .milliseconds(50)) }
        }
    }

    private func put(_ send: SendLedger.Send) {
        gateway.forgetAcknowledgement(of: send.nonce)
        sentHere.append(send)
        gateway.sendMessage("message \(send.nonce)", to: send.channel, nonce: send.nonce)
    }

    /// - Returns: whether the message is durable; else it has to be sent again.
    private func take(_ answer: GatewayClient.Acknowledgement, of send: SendLedger.Send) -> Bool {
        if let id = answer.messageID, let seq = answer.seq {
            ledger.acknowledge(send, .init(id: id, seq: seq))
            return true
        }
        if answer.errorCode != 130_000 { violations.append("sending \(send.nonce): \(answer.body)") }
        return false
    }

    /// Acknowledgements of one connection and channel come in the order of its sends (protocol 10.2).
    private func checkOrder() {
        let answered = gateway.acknowledgedNonces.dropFirst(acknowledgedBefore)
        for channel in channels {
            let sent = sentHere.filter { $0.channel == channel }.map(\.nonce)
            let here = answered.filter(Set(sent).contains)
            if Array(sent.prefix(here.count)) != Array(here) {
                violations.append("\(person.name) sent \(sent) to \(channel) and got acknowledgements of \(here)")
            }
        }
        acknowledgedBefore = gateway.acknowledgedNonces.count
        sentHere = []
    }

    // MARK: Coming back

    /// Notices the loss of the connection while there is nothing to send.
    func keepListening(until isOver: @Sendable () -> Bool) async throws {
        while !isOver() {
            if !gateway.isConnected { try await comeBack() }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func comeBack() async throws {
        absorb()
        _ = try await eventually("\(person.name) to come back", within: .seconds(120), every: .milliseconds(50)) {
            () async throws -> Bool? in
            do {
                try await enter()
                if owesCatchUp { try await catchUp(announced) }
                owesCatchUp = false
                return true
            } catch let error as HarnessError {
                throw error
            } catch {
                return nil
            }
        }
        acknowledgedBefore = gateway.acknowledgedNonces.count
        sentHere = []
        absorb()
    }

    /// Takes the session up again, or begins a new one.
    private func enter() async throws {
        do {
            try await gateway.resume()
            resumptions += 1
        } catch GatewayClient.Failure.invalidSession {
            let ready = try await gateway.identify()
            lostSessions += 1
            announced = Self.heads(in: ready.data)
            owesCatchUp = true
        }
    }

    /// Asks for the log of every channel that does not stand where it stood.
    private func catchUp(_ heads: [String: ChannelView.Position]) async throws {
        for channel in channels {
            while let view = views[channel], view.head != heads[channel] {
                let head = view.head
                let answer = try await client.send(
                    .GET, "/api/v10/channels/\(channel)/events?after_seq=\(head.seq)&epoch=\(head.epoch)&limit=500")
                guard answer.status == 200 else {
                    if answer.status == 503 { throw HTTPClient.ConnectionLost(description: "503") }
                    throw HarnessError("the log of \(channel): \(answer.status) \(answer.text)")
                }
                let isWhole = takePage(answer.body, of: channel)
                if isWhole { break }
            }
        }
    }

    /// - Returns: whether nothing follows.
    private func takePage(_ page: JSON, of channel: String) -> Bool {
        if let standing = page["rolled_back_to"]?.intValue {
            views[channel]?.rollBack(to: standing, epoch: page["epoch"]?.intValue ?? 0)
        }
        if page["truncated"]?.boolValue != false { violations.append("the log of \(channel) is truncated") }
        let events = page["events"]?.arrayValue ?? []
        for event in events { take(event["t"]?.stringValue ?? "", event["d"] ?? .null, in: channel) }
        return events.count < 500
    }

    private func take(_ kind: String, _ body: JSON, in channel: String) {
        if let violation = views[channel]?.take(kind, body) {
            violations.append("\(person.name) in \(channel): \(violation)")
        }
    }

    /// Takes in what came live.
    private func absorb() {
        let dispatches = gateway.dispatches
        for dispatch in dispatches.dropFirst(absorbed) where dispatch.kind.hasPrefix("MESSAGE_") {
            guard let channel = dispatch.data["channel_id"]?.stringValue, dispatch.kind != "MESSAGE_ACK" else {
                continue
            }
            take(dispatch.kind, dispatch.data, in: channel)
        }
        absorbed = dispatches.count
    }

    // MARK: The end

    /// Waits until everything up to these numbers has come, coming back where that is needed.
    func reach(_ seqs: [String: Int]) async throws {
        _ = try await eventually("\(person.name) to hear all", within: .seconds(120)) { () async throws -> Bool? in
            if !gateway.isConnected { try await comeBack() }
            absorb()
            return channels.allSatisfy { (views[$0]?.head.seq ?? 0) >= (seqs[$0] ?? 0) } ? true : nil
        }
    }

    /// What this client has to complain about, in the end.
    func complaints(against logs: [String: ChannelLog]) -> [String] {
        var found = violations + gateway.violations.map { "\(person.name): \($0)" }
        for (channel, view) in views {
            guard let log = logs[channel] else { continue }
            let differences = view.differences(from: log, of: person.name)
            guard !differences.isEmpty else { continue }
            found += differences
            found.append(
                "  (\(lostSessions) sessions lost, \(resumptions) resumed, READY said \(announced[channel] as Any))")
        }
        return found
    }

    /// How many entries it was told to take back.
    var discarded: Int { views.values.reduce(0) { $0 + $1.discarded } }

    func leave() {
        gateway.dropTCP()
        client.close()
    }
}
