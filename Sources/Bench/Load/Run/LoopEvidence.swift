/// What a client believes about a channel at the end of a run.
struct ViewEvidence: Sendable {
    /// The channel's number in the run's table.
    let channel: Int
    /// The number up to which the log is not its business.
    let base: Int
    let head: Place
    let held: HeldRuns
    /// Numbers of it that were taken back and are not at its end.
    let taken: Set<Int>
    /// How many events it was told to take back, by a deletion and by `rolled_back_to`.
    let retractions: Int
    let rolledBack: Int
}

/// A session at the end of a run.
struct SessionEvidence: Sendable {
    let name: String
    /// What it lacked of being connected, with nothing that it still had to ask for.
    let lack: String?
    let views: [ViewEvidence]
    /// By mark.
    let silences: [DeliverySilence]
}

/// A send at the end of a run.
struct SendEvidence: Sendable {
    let channel: Int
    let author: UInt64
    let nonce: String
    let state: SendRecord.State
}

/// Everything that an event loop knows at the end of a run.
struct LoopEvidence: Sendable {
    var sessions: [SessionEvidence]
    var sends: [SendEvidence]
    var catalogue: EventCatalogue
    var violations: ViolationLog
    /// By channel, growing.
    var acknowledgedAt: [[UInt64]]
}

extension LoadLoop {
    func evidence() -> LoopEvidence {
        for session in sessions { session.closeSequence() }
        return LoopEvidence(
            sessions: sessions.map { session in
                SessionEvidence(
                    name: session.person.name, lack: session.lack,
                    views: zip(session.channelNumbers, session.views).map { channel, view in
                        ViewEvidence(
                            channel: channel, base: view.base.seq, head: view.head, held: view.held, taken: view.taken,
                            retractions: view.retractions, rolledBack: view.rolledBack)
                    },
                    silences: session.silences)
            },
            sends: records.enumerated().map { index, record in
                SendEvidence(
                    channel: record.channel, author: sessions[record.sender].person.id, nonce: nonce.text(index),
                    state: record.state)
            },
            catalogue: catalogue, violations: violations, acknowledgedAt: acknowledgedAt)
    }
}
