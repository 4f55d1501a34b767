extension LoadReport {
    /// When the load began and ended, and what was done meanwhile.
    struct Timeline {
        let begin: UInt64
        let end: UInt64
        let marks: [Marks.Mark]
    }

    /// Takes in the verdict, and computes from its evidence how long everything took to come back.
    mutating func finish(_ verdict: LoadVerdict) {
        self.verdict = verdict
        guard let timeline else { return }
        var acknowledgements: [[UInt64]] = Array(repeating: [], count: plan.channels.count)
        for loop in verdict.evidence {
            for (channel, times) in loop.acknowledgedAt.enumerated() { acknowledgements[channel] += times }
        }
        for channel in acknowledgements.indices { acknowledgements[channel].sort() }
        let sessions = verdict.evidence.flatMap(\.sessions)
        for (number, mark) in timeline.marks.enumerated() {
            let next = number + 1 < timeline.marks.count ? timeline.marks[number + 1].at : max(timeline.end, mark.at)
            recoveries.append(
                Recovery(
                    mark: mark.name, begin: timeline.begin, acknowledgements: acknowledgements,
                    window: mark.at..<max(next, mark.at),
                    deliveries: sessions.compactMap { number < $0.silences.count ? $0.silences[number] : nil }))
        }
    }

    /// For a rolling restart: nothing may have failed.
    mutating func requireNoFailure() {
        if verdict.counters.failures > 0 {
            verdict.violations.note(.failedRequest, "\(verdict.counters.failures) requests failed")
        }
        if verdict.counters.lostSessions > 0 {
            verdict.violations.note(.sessionLost, "\(verdict.counters.lostSessions) sessions could not be resumed")
        }
    }
}
