import Foundation
import NIOCore
import NIOPosix

/// One run: the sessions on their loops, from connecting to the audit.
struct LoadRun: Sendable {
    /// One who sends, and the channels that they send to in turn, by the numbers of the table.
    struct Sender: Sendable {
        /// The session's number in the run.
        let session: Int
        let channels: [Int]
    }

    let settings: LoadSettings
    let channels: ChannelTable
    let people: [Person]
    private let group: MultiThreadedEventLoopGroup
    private let loops: [NIOLoopBound<LoadLoop>]

    /// Makes the sessions; nothing connects yet. Session i is person i, and lives on loop i modulo their number.
    static func make(_ settings: LoadSettings, channels: ChannelTable, people: [Person]) async throws -> LoadRun {
        try DescriptorLimit.require(
            connections: people.count + settings.loops * settings.targets.count * settings.restWidth)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.loops)
        let run = UInt64.random(in: 0...UInt64(UInt32.max))
        var loops: [NIOLoopBound<LoadLoop>] = []
        for (number, eventLoop) in group.makeIterator().enumerated() {
            let own = stride(from: number, to: people.count, by: settings.loops).map { people[$0] }
            loops.append(
                try await eventLoop.submit {
                    NIOLoopBound(
                        LoadLoop(
                            on: eventLoop, number: number, settings: settings, channels: channels, people: own, run: run
                        ),
                        eventLoop: eventLoop)
                }.get())
        }
        return LoadRun(settings: settings, channels: channels, people: people, group: group, loops: loops)
    }

    /// Does something on each loop.
    func onEach<Value: Sendable>(_ body: @escaping @Sendable (LoadLoop, Int) -> Value) async throws -> [Value] {
        var values: [Value] = []
        for (number, loop) in loops.enumerated() {
            values.append(try await loop.eventLoop.submit { body(loop.value, number) }.get())
        }
        return values
    }

    func progress() async throws -> LoopProgress {
        var sum = LoopProgress()
        for part in try await onEach({ loop, _ in loop.progress() }) { sum.add(part) }
        return sum
    }

    // MARK: Connecting

    /// Connects all sessions and returns when each has its READY and has been shown all its guilds.
    /// - Throws: when nothing more comes for half a minute.
    func connect(_ report: (LoopProgress) -> Void) async throws {
        _ = try await onEach { loop, _ in loop.start() }
        var best = -1
        var patience = Date().addingTimeInterval(30)
        while true {
            let progress = try await progress()
            report(progress)
            if progress.whole == people.count { return }
            if progress.whole > best {
                best = progress.whole
                patience = Date().addingTimeInterval(30)
            }
            guard Date() < patience else {
                let violations = try await onEach { loop, _ in loop.violations }
                throw RunFailure(
                    "only \(progress.whole) of \(people.count) sessions could be made"
                        + (violations.flatMap(\.kept).first.map { "; \($0)" } ?? ""))
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Ends the connections and the loops.
    func stop() async {
        _ = try? await onEach { loop, _ in loop.stop() }
        try? await group.shutdownGracefully()
    }

    // MARK: Load

    /// Begins to put the load on. - Returns: when the last send is due.
    @discardableResult
    func beginLoad(rate: Double, seconds: Double, senders: [Sender]) async throws -> UInt64 {
        let start = Clock.now + 50_000_000
        let end = start + UInt64(seconds * 1e9)
        _ = try await onEach { [loops = loops.count] loop, number in
            let own = senders.indices.filter { senders[$0].session % loops == number }
            let schedule = SendSchedule(rate: rate, start: start, end: end, senders: senders.count, own: own)
            loop.begin(
                schedule, senders: own.map { (senders[$0].session / loops, senders[$0].channels) }, measuringFrom: start
            )
        }
        return end
    }

    /// No further send will be due.
    func endLoad() async throws { _ = try await onEach { loop, _ in loop.schedule = nil } }

    /// Puts the load on and returns when the last send was due.
    private func load(rate: Double, seconds: Double, senders: [Sender]) async throws {
        let end = try await beginLoad(rate: rate, seconds: seconds, senders: senders)
        let now = Clock.now
        if end > now { try await Task.sleep(for: .nanoseconds(Int64(end - now))) }
        try await endLoad()
    }

    /// Waits until everything that was sent is answered and everything acknowledged has come to every session.
    /// - Returns: how many sessions were behind when the waiting ended.
    func settle(within seconds: Double) async throws -> Int {
        let end = Clock.now + UInt64(seconds * 1e9)
        while true {
            let progress = try await progress()
            let behind = try await onEach { loop, _ in loop.behind(progress.acknowledgedSeqs) }.reduce(0, +)
            if progress.unsettled == 0 && behind == 0 { return 0 }
            guard Clock.now < end else { return behind }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// One step: load, then all comes to its end.
    func step(
        rate: Double, warmUp: Double, seconds: Double, senders: [Sender], drain: Double, servers: [ServerProcess]
    ) async throws -> StepResult {
        // The warm-up is a step of its own whose figures are dropped, so that they do not count as processor time either.
        if warmUp > 0 {
            try await load(rate: rate, seconds: warmUp, senders: senders)
            _ = try await settle(within: drain)
        }
        return try await measure(rate: rate, servers) {
            try await load(rate: rate, seconds: seconds, senders: senders)
            return try await settle(within: drain)
        }
    }

    /// Measures what happens while `body` runs, which returns how many sessions were behind at its end.
    func measure(
        rate: Double, _ servers: [ServerProcess], _ body: () async throws -> Int
    ) async throws -> StepResult {
        let before = try await progress().counters
        let first = ProcessorSample.take(servers)
        let behind = try await body()
        let last = ProcessorSample.take(servers)
        let after = try await progress().counters
        var measurement = StepMeasurement()
        for part in try await onEach({ loop, _ in loop.measurement }) { measurement.add(part) }
        let took = Double(last.at - first.at) / 1e9
        let machine = first.machine.flatMap { first in
            last.machine.map { (busy: $0.busy - first.busy, idle: $0.idle - first.idle) }
        }
        return StepResult(
            rate: rate, seconds: took, counters: after - before, measurement: measurement, behind: behind,
            servers: zip(first.servers, last.servers).map { before, after in
                before.flatMap { before in after.map { $0 - before } }
            },
            ownCores: (last.own - first.own) / took, busyCores: machine.map { $0.busy / took },
            cores: machine.map { ($0.busy + $0.idle) / took })
    }

    // MARK: The end

    /// Repeats up to so many acknowledged sends the other way and waits for the answers.
    /// - Returns: how many have none.
    func repeatAcknowledged(_ count: Int, within seconds: Double) async throws -> Int {
        _ = try await onEach { [loops = loops.count] loop, _ in loop.repeatAcknowledged((count + loops - 1) / loops) }
        _ = try await settle(within: seconds)
        return try await onEach { loop, _ in loop.openRepeats }.reduce(0, +)
    }

    func evidence() async throws -> [LoopEvidence] { try await onEach { loop, _ in loop.evidence() } }

    /// Notes that something is being done to the nodes; silences count for it from now on.
    func mark() async throws { _ = try await onEach { loop, _ in loop.markCount += 1 } }

    /// Makes a request through a node, and through another one while it fails for a reason that may pass.
    func request(_ request: RESTRequest, within seconds: Double = 60) async throws -> RESTAnswer {
        let end = Clock.now + UInt64(seconds * 1e9)
        var attempt = 0
        while true {
            let loop = loops[attempt % loops.count]
            let target = settings.targets[attempt % settings.targets.count]
            let result: Result<RESTAnswer, any Error>
            do {
                result = .success(
                    try await loop.eventLoop.flatSubmit { loop.value.rest.send(request, to: target) }.get())
            } catch { result = .failure(error) }
            if case .success(let answer) = result, answer.status < 500, answer.status != 429 { return answer }
            guard Clock.now < end else {
                let words = if case .success(let answer) = result { answer.summary } else { "no answer" }
                throw RunFailure("\(request.method) \(request.path): \(words)")
            }
            attempt += 1
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
