import FluxCore

/// Which node should own each slot. As nodes come and go only that is computed anew which they can have changed: the slots of
/// those that went, and whether one that came has a higher score than the owner.
struct SlotPlacement: Sendable {
    private(set) var candidates: [Rendezvous.Candidate] = []
    private var rendezvous = Rendezvous([])
    private var winners: [Rendezvous.Winner?] = Array(repeating: nil, count: Slot.count)

    /// Where the slot should be; nil when nobody can own slots.
    func owner(of slot: Slot) -> NodeID? { winners[Int(slot.rawValue)]?.node }

    /// Goes over to other candidates.
    mutating func change(to candidates: [Rendezvous.Candidate]) {
        let next = Rendezvous(candidates)
        let gone = self.candidates.filter { !candidates.contains($0) }.map(\.node)
        let arrived = candidates.filter { !self.candidates.contains($0) }
        let newcomers = Rendezvous(arrived)
        // Scores of equal shares are not to be compared with others.
        let keepsScores = rendezvous.isUniform && next.isUniform
        for slot in SlotKeeper.slots {
            let index = Int(slot.rawValue)
            guard keepsScores, let winner = winners[index], !gone.contains(winner.node) else {
                winners[index] = next.winner(of: slot)
                continue
            }
            if !arrived.isEmpty { winners[index] = newcomers.winner(of: slot, over: winner) }
        }
        self.candidates = candidates
        rendezvous = next
    }
}
