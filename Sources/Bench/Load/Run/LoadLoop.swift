import FluxCore
import NIOCore

/// The part of a run that lives on one event loop: its sessions, what they sent, what they were told. Everything here is
/// touched on that loop alone; nothing is done per session but what its own bytes ask for.
final class LoadLoop {
    let eventLoop: any EventLoop
    let settings: LoadSettings
    let channels: ChannelTable
    let nonce: Nonce
    let rest: RESTClient
    private(set) var sessions: [LoadSession] = []

    /// Every send of this loop, by the number in its nonce.
    var records: [SendRecord] = []
    /// Repeats of acknowledged sends that were asked for and have no answer.
    var openRepeats = 0
    /// How many of them are open.
    var unsettled = 0
    var catalogue: EventCatalogue
    var bodies = KnownBodies()
    var violations = ViolationLog()
    var counters = LoadCounters()
    var random: SplitMix64
    var pacer: ConnectPacer<LoadSession>

    /// Of each channel the greatest seq that was acknowledged here, and when acknowledgements came.
    var acknowledgedSeqs: [Int]
    var acknowledgedAt: [[UInt64]]
    var measurement = StepMeasurement()
    var schedule: SendSchedule?
    /// The senders of the step, in the order of ``SendSchedule``'s own list, each with the channels it sends to in turn.
    var senders: [(session: LoadSession, channels: [Int], next: Int)] = []
    /// Sends that are to be made again, with when.
    var retries: [(at: UInt64, index: Int)] = []
    /// Sessions with bytes to flush at the end of a tick.
    var dirty: [LoadSession] = []
    /// Marks that were set so far: which silence a delivery ends.
    var markCount = 0
    private var lookedAt: UInt64 = 0
    private var ticking: RepeatedTask?

    init(
        on eventLoop: any EventLoop, number: Int, settings: LoadSettings, channels: ChannelTable, people: [Person],
        run: UInt64
    ) {
        self.eventLoop = eventLoop
        self.settings = settings
        self.channels = channels
        nonce = Nonce(run: run, loop: number)
        random = SplitMix64(seed: run &+ UInt64(number))
        catalogue = EventCatalogue(channels: channels.count)
        acknowledgedSeqs = Array(repeating: 0, count: channels.count)
        acknowledgedAt = Array(repeating: [], count: channels.count)
        rest = RESTClient(on: eventLoop, width: settings.restWidth, limit: .seconds(Int64(settings.restSeconds)))
        pacer = ConnectPacer(
            rate: settings.connectRate / Double(settings.loops), width: max(1, settings.connectWidth / settings.loops))
        for person in people {
            let number = sessions.count
            sessions.append(LoadSession(of: person, number: number, in: self, firstTarget: number))
        }
    }

    /// Begins to connect, and to look after time.
    func start() {
        for session in sessions { session.start() }
        let loop = NIOLoopBound(self, eventLoop: eventLoop)
        ticking = eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(1)) { _ in loop.value.tick()
        }
    }

    /// Ends everything.
    func stop() {
        ticking?.cancel()
        for session in sessions { session.stop() }
        rest.close()
    }

    /// A random number of milliseconds.
    var jitter: Int { Int(random.next() % 1_000) }

    /// A node, another one each time.
    func nextTarget() -> Target { settings.targets[Int(random.next() % UInt64(settings.targets.count))] }

    private func tick() {
        let now = Clock.now
        sendDue(at: now)
        while let session = pacer.begin(at: now) { session.connect() }
        retryDue(at: now)
        // By the clock and not by counted ticks: a busy loop ticks less often, and hearts have to beat all the same.
        if Clock.elapsed(lookedAt, now) > 250_000_000 {
            lookedAt = now
            for session in sessions { session.lookAfterTime(now) }
        }
        flushDirty()
    }

    func flushDirty() {
        for session in dirty { session.flush() }
        dirty.removeAll(keepingCapacity: true)
    }

    // MARK: What events say

    /// Reads a body for the first time. - Returns: nil if it is none of the run's business.
    func read(_ kind: LogKind, _ json: JSON) -> LoggedEvent? {
        guard let body = EventBody(kind, json) else {
            violations.note(.malformed, "\(kind.rawValue) without what it has to have: \(Self.short(json))")
            return nil
        }
        guard let channel = channels.number(of: body.channelID) else { return nil }
        guard let place = body.place else {
            return LoggedEvent(
                channel: channel, identity: body.identity, place: nil,
                retracted: catalogue.place(ofMessage: body.identity.message, in: channel))
        }
        if let other = catalogue.note(body.identity, at: place, in: channel) {
            violations.note(.conflict, "channel \(body.channelID) at \(place): \(other), then \(body.identity)")
        }
        return LoggedEvent(channel: channel, identity: body.identity, place: place, due: body.due)
    }

    static func short(_ json: JSON) -> String { String(decoding: json.encoded().prefix(300), as: UTF8.self) }
}
