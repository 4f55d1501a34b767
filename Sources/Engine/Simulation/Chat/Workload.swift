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
        case 0..<96: client.send(in: pick(pick(guilds).channels))
        case 96..<115: client.sendDirectly()
        case 115..<120: client.changeRelationship()
        case 120..<145: client.repeatSend()
        case 145..<165: client.change(.update)
        case 165..<180: client.change(.delete)
        case 180..<195: client.heartbeat()
        case 195..<199: client.connectionLost()
        default: client.beginAnew()
        }
    }
}
