/// How far this node can trust its own judgement of others: Lifeguard's local health multiplier (Dadgar, Phillips and
/// Currey, "Lifeguard: Local Health Awareness for More Accurate Failure Detection", 2018, IV.A).
///
/// A score between 0 (well) and a ceiling. What speaks against the node raises it: it woke up late, it had to refute a
/// suspicion, helpers that must have answered did not. A probe that is answered lowers it.
struct LocalHealth: Sendable {
    private(set) var score = 0
    private let worst: Int

    init(worst: Int) { self.worst = worst }

    mutating func worsen(by points: Int = 1) { score = min(worst, score + points) }
    mutating func improve() { score = max(0, score - 1) }

    /// What a wait of a healthy node is for this one.
    func lengthened(_ wait: Duration) -> Duration { wait * (score + 1) }
}
