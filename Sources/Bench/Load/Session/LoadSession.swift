import Collections
import FluxCore
import NIOCore
import NIOPosix

/// One gateway session of a run, on its loop: it connects, listens, sends, comes back, and holds a view of each channel.
final class LoadSession {
    let person: Person
    /// Its number in its loop.
    let number: Int
    unowned let loop: LoadLoop

    var machine = SessionMachine()
    private(set) var connection: GatewayConnection?
    private var targetIndex: Int
    /// Holds a place of the pacer.
    private var isOpening = false
    private var isStopped = false

    var sessionID = ""
    /// The session's `s`; nil before READY.
    var sequence: NumberCheck?
    /// The channels of the run that this person sees, and what is believed about each.
    var slots: [Int: Int] = [:]
    var views: [ChannelView] = []
    var channelNumbers: [Int] = []
    /// Sends that wait for an answer, or for a connection.
    var open: Deque<Int> = []
    /// What left on this connection and was not answered, in order.
    var onWire: Deque<Int> = []
    /// Where READY says that channels stand whose log has still to be asked for; by slot.
    var owed: [Int] = []
    var isAsking = false
    /// Slots of guilds that READY called unavailable; their GUILD_CREATE says where they stand.
    var absent: Set<Int> = []
    /// Slots of channels of which nothing has been said yet.
    var unseen: Set<Int> = []
    /// Counts READYs, so that an answer that belongs to an earlier one is known.
    var generation = 0

    private var heartbeatSeconds: Double
    private var nextBeat: UInt64 = .max
    private var isBeatAnswered = true
    private var openedAt: UInt64 = 0

    /// When it was told a message last.
    private(set) var lastDelivery: UInt64 = 0
    /// It has had to connect again since then.
    private var isComingBack = false
    /// By mark.
    private(set) var silences: [DeliverySilence] = []

    init(of person: Person, number: Int, in loop: LoadLoop, firstTarget: Int) {
        self.person = person
        self.number = number
        self.loop = loop
        targetIndex = firstTarget
        heartbeatSeconds = loop.settings.heartbeat
        for channel in person.channels {
            guard let number = loop.channels.number(of: channel), slots[number] == nil else { continue }
            slots[number] = channelNumbers.count
            channelNumbers.append(number)
        }
    }

    var isLive: Bool { machine.state == .live }
    /// Where its session comes from, for reports.
    var origin: String {
        "session \(generation), resumed \(machine.resumptions) times in all, at \(targetIndex % loop.settings.targets.count)"
    }

    /// Whether it is connected, and knows all it has to know.
    var isWhole: Bool { lack == nil }

    /// What it lacks of that.
    var lack: String? {
        if !isLive { return "was not connected: \(machine.state)" }
        if !absent.isEmpty { return "was not shown the guilds of \(absent.count) channels" }
        return owed.isEmpty ? nil : "had not read the logs of \(owed.count) channels"
    }

    // MARK: Connecting

    func start() { perform(machine.start()) }

    func stop() {
        isStopped = true
        machine.end()
        connection?.close(code: 1_000)
        connection = nil
    }

    /// The pacer's turn has come.
    func connect() {
        guard !isStopped, machine.state == .away else { return loop.pacer.done() }
        isOpening = true
        nextBeat = .max
        beganOpening()
        machine.connecting()
        let target = loop.settings.targets[targetIndex % loop.settings.targets.count]
        let next = GatewayConnection(
            to: target, isBatched: loop.settings.isBatched, mask: UInt32(truncatingIfNeeded: loop.random.next()),
            delegate: self)
        connection = next
        onWire.removeAll()
        let bound = NIOLoopBound((session: self, connection: next), eventLoop: loop.eventLoop)
        ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(.seconds(5))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value.connection)
                }
            }
            .connect(host: target.host, port: target.port)
            .whenFailure { _ in
                let (session, connection) = bound.value
                session.connectionEnded(connection, closeCode: nil)
            }
    }

    /// READY or RESUMED has to come within a time from now on.
    func beganOpening() { openedAt = Clock.now }

    /// What has begun with ``connect()`` is done.
    func opened() {
        guard isOpening else { return }
        isOpening = false
        loop.pacer.done()
    }

    func perform(_ action: SessionMachine.Action) {
        switch action {
        case .none:
            break
        case .connect(let pause):
            comeBack(after: pause)
        case .identify:
            put(
                #"{"op":2,"d":{"token":"\#(person.token)","properties":{"os":"linux","browser":"flux-bench","device":""}}}"#
            )
        case .resume:
            let last = sequence?.last ?? 0
            put(#"{"op":6,"d":{"token":"\#(person.token)","session_id":"\#(sessionID)","seq":\#(last)}}"#)
        case .leave(let pause):
            drop()
            comeBack(after: pause)
        case .giveUp(let reason):
            opened()
            loop.violations.note(.sessionLost, "\(person.name): \(reason)")
        }
    }

    private func drop() {
        opened()
        let old = connection
        connection = nil
        old?.close(code: 4_000)
    }

    private func comeBack(after milliseconds: Int) {
        isComingBack = true
        let count = loop.settings.targets.count
        // Another node, any of them: those who come from one that died shall not all go to the same.
        if count > 1 { targetIndex = (targetIndex + 1 + Int(loop.random.next() % UInt64(count - 1))) % count }
        let session = NIOLoopBound(self, eventLoop: loop.eventLoop)
        loop.eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {
            let session = session.value
            if !session.isStopped { session.loop.pacer.wait(session) }
        }
    }

    // MARK: Time

    /// HELLO says how often a heart has to beat.
    func beat(every milliseconds: Int) {
        heartbeatSeconds = min(loop.settings.heartbeat, Double(milliseconds) / 1_000)
        isBeatAnswered = true
        // Spread over the interval, so that a thousand sessions do not beat at once.
        nextBeat = Clock.now + UInt64(heartbeatSeconds * 1e9 * Double(loop.random.next() % 1_000) / 1_000)
    }

    func heartbeatAnswered() { isBeatAnswered = true }

    func lookAfterTime(_ now: UInt64) {
        switch machine.state {
        case .away, .ended:
            return
        case .connecting, .opening:
            if Clock.elapsed(openedAt, now) > UInt64(LoadSettings.openingSeconds * 1e9) { lost("no READY came") }
        case .live:
            if let first = open.first, !onWire.isEmpty,
                Clock.elapsed(loop.records[first].sentAt, now) > UInt64(LoadSettings.repeatSeconds * 1e9)
            {
                onWire.removeAll { $0 == first }
                write(first)
            }
        }
        guard now >= nextBeat else { return }
        guard isBeatAnswered else { return lost("a heartbeat was not answered") }
        sendHeartbeat()
        isBeatAnswered = false
        nextBeat = now + UInt64(heartbeatSeconds * 1e9)
    }

    func sendHeartbeat() {
        put(#"{"op":1,"d":\#(sequence.map { String($0.last) } ?? "null")}"#)
    }

    private func lost(_ reason: String) {
        loop.counters.lostConnections += 1
        if !loop.settings.expectsFaults { loop.violations.note(.connectionLost, "\(person.name): \(reason)") }
        perform(machine.leave(jitter: loop.jitter))
    }

    // MARK: Writing

    func put(_ text: String) {
        connection?.put(Array(text.utf8))
        markDirty()
    }

    func markDirty() { loop.dirty.append(self) }

    func flush() { connection?.flush() }

    // MARK: Silence

    /// It was told a message. A silence counts for the mark behind which it ends.
    @inline(__always)
    func delivered(at now: UInt64) {
        defer {
            lastDelivery = now
            isComingBack = false
        }
        guard loop.markCount > 0 else { return }
        while silences.count < loop.markCount { silences.append(DeliverySilence()) }
        guard lastDelivery > 0 else { return }
        silences[loop.markCount - 1].ended(after: Clock.elapsed(lastDelivery, now), comingBack: isComingBack)
    }
}

extension LoadSession: GatewayConnection.Delegate {
    func connection(_ connection: GatewayConnection, broke rule: String) {
        guard connection === self.connection else { return }
        loop.violations.note(.malformed, "\(person.name): \(rule)")
    }

    func connectionEnded(_ connection: GatewayConnection, closeCode: Int?) {
        guard connection === self.connection else { return }
        self.connection = nil
        let wasLive = isLive
        opened()
        if wasLive {
            loop.counters.lostConnections += 1
            if !loop.settings.expectsFaults, !isStopped {
                loop.violations.note(
                    .connectionLost,
                    "\(person.name): the connection ended with \(closeCode.map(String.init) ?? "no code")")
            }
        }
        perform(machine.disconnected(closeCode: closeCode, jitter: loop.jitter))
    }

    func connection(_ connection: GatewayConnection, received message: UnsafeRawBufferPointer) {
        guard connection === self.connection else { return }
        read(message, at: Clock.now)
        loop.flushDirty()
    }
}
