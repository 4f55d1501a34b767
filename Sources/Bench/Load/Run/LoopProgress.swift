/// Where a loop stands.
struct LoopProgress: Sendable {
    /// Sessions that are connected, and know all they have to know.
    var whole = 0
    var sessions = 0
    /// Sends without an answer, and repeats of acknowledged ones.
    var unsettled = 0
    var counters = LoadCounters()
    /// By channel.
    var acknowledgedSeqs: [Int] = []

    mutating func add(_ other: LoopProgress) {
        whole += other.whole
        sessions += other.sessions
        unsettled += other.unsettled
        counters = counters + other.counters
        if acknowledgedSeqs.isEmpty {
            acknowledgedSeqs = other.acknowledgedSeqs
        } else {
            for index in other.acknowledgedSeqs.indices {
                acknowledgedSeqs[index] = max(acknowledgedSeqs[index], other.acknowledgedSeqs[index])
            }
        }
    }
}

extension LoadLoop {
    func progress() -> LoopProgress {
        LoopProgress(
            whole: sessions.count { $0.isWhole }, sessions: sessions.count,
            unsettled: unsettled + openRepeats, counters: counters,
            acknowledgedSeqs: acknowledgedSeqs)
    }

    /// How many sessions are not connected, or have not heard up to these seqs.
    func behind(_ seqs: [Int]) -> Int {
        sessions.count { session in
            !session.isWhole
                || zip(session.channelNumbers, session.views).contains { channel, view in view.head.seq < seqs[channel]
                }
        }
    }

    /// Sends acknowledged messages once more, the other way. - Parameter count: at most so many, spread over all.
    func repeatAcknowledged(_ count: Int) {
        let now = Clock.now
        // Only while the contract remembers the nonce.
        let patience = UInt64(LoadSettings.patienceSeconds * 1e9)
        let candidates = records.indices.filter {
            guard case .acknowledged = records[$0].state else { return false }
            return Clock.elapsed(records[$0].due, now) < patience
        }
        let step = max(1, candidates.count / max(1, count))
        for index in stride(from: 0, to: candidates.count, by: step).prefix(count).map({ candidates[$0] }) {
            records[index].route = settings.route.other
            openRepeats += 1
            send(index, by: settings.route.other)
        }
        flushDirty()
    }
}
