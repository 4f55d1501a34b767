/// What the end of a run brings to light.
struct LoadVerdict: Sendable {
    var violations = ViolationLog()
    /// Messages that the audit found in the histories, and empty numbers of the logs.
    var messages = 0
    var voids = 0
    /// Acknowledged sends that were repeated and answered at the end.
    var repeats = 0
    var counters = LoadCounters()
    var evidence: [LoopEvidence] = []
    /// How many events clients were told to take back.
    var retractions = 0
    var rolledBack = 0
}

extension LoadRun {
    /// Repeats a part of what was acknowledged, reads what the server holds, and compares.
    func verdict(repeating count: Int, within seconds: Double) async throws -> LoadVerdict {
        var verdict = LoadVerdict()
        let before = try await progress().counters.repeatsAnswered
        let unanswered = try await repeatAcknowledged(count, within: seconds)
        if unanswered > 0 {
            verdict.violations.note(.neverAcknowledged, "\(unanswered) repeats of acknowledged sends found no answer")
        }
        _ = try await settle(within: seconds)
        verdict.counters = try await progress().counters
        verdict.repeats = verdict.counters.repeatsAnswered - before
        verdict.evidence = try await evidence()
        let records = try await readAll(after: bases(verdict.evidence))
        let audit = Audit.run(channels: channels, records: records, evidence: verdict.evidence)
        verdict.violations.merge(audit.violations)
        verdict.messages = records.reduce(0) { $0 + $1.messages.count }
        verdict.voids = audit.voids
        let views = verdict.evidence.flatMap(\.sessions).flatMap(\.views)
        verdict.retractions = views.reduce(0) { $0 + $1.retractions }
        verdict.rolledBack = views.reduce(0) { $0 + $1.rolledBack }
        return verdict
    }

    /// Of each channel the first number that anybody was told of.
    private func bases(_ evidence: [LoopEvidence]) -> [Int: Int] {
        var bases: [Int: Int] = [:]
        for view in evidence.flatMap(\.sessions).flatMap(\.views) {
            bases[view.channel] = min(bases[view.channel] ?? Int.max, view.base)
        }
        return bases
    }

    private func readAll(after bases: [Int: Int]) async throws -> [ChannelRecord] {
        var readers: [Int: String] = [:]
        for person in people {
            for channel in person.channels {
                if let number = channels.number(of: channel) { readers[number] = readers[number] ?? person.token }
            }
        }
        return try await withThrowingTaskGroup(of: ChannelRecord.self) { group in
            var records: [ChannelRecord] = []
            for (underWay, (channel, base)) in bases.enumerated() {
                guard let token = readers[channel] else { continue }
                if underWay >= 16, let record = try await group.next() { records.append(record) }
                group.addTask { try await ChannelReader(run: self, channel: channel, token: token).read(after: base) }
            }
            for try await record in group { records.append(record) }
            return records
        }
    }
}
