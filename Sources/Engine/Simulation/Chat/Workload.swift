import FluxCore

/// What clients do.
extension ChatWorld {
    /// Begins to let clients work, until `end`.
    func beginWork(until end: Duration) {
        for number in 0..<configuration.clients {
            let client = ChatClient(number: number, world: self)
            clients.append(client)
            after(milliseconds(0...2_000)) { client.connect() }
        }
        work(until: end)
        let firstFault = milliseconds(4_000...8_000)
        if configuration.faultInterval > 0 { after(firstFault) { [self] in breakAgain(until: end) } }
    }

    private func work(until end: Duration) {
        guard now < end else { return }
        operate()
        after(gap(mean: 1 / configuration.operationsPerSecond)) { [self] in work(until: end) }
    }

    private func breakAgain(until end: Duration) {
        guard now < end else { return }
        breakSomething()
        after(gap(mean: configuration.faultInterval)) { [self] in breakAgain(until: end) }
    }

    /// A wait with this mean, in seconds: between half of it and one and a half.
    private func gap(mean: Double) -> Duration { milliseconds(500 * mean...1_500 * mean) }

    private func operate() {
        let client = pick(clients)
        auditor.operations += 1
        switch Int.random(in: 0..<200, using: &random) {
        case 0..<84: client.send(in: pick(pick(guilds).channels))
        case 84..<102: client.sendDirectly()
        case 102..<107: client.changeRelationship()
        case 107..<130: client.repeatSend()
        case 130..<141: client.react()
        case 141..<143: if !moderation.moderate(client.userID, in: pick(guilds)) { client.heartbeat() }
        case 143..<162: client.change(.update)
        case 162..<176: client.change(.delete)
        case 176..<195: client.heartbeat()
        case 195..<199: client.connectionLost()
        default: client.beginAnew()
        }
    }
}
