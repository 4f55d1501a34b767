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
        let gone = Set(self.candidates).subtracting(candidates)
        let arrived = Rendezvous(Array(Set(candidates).subtracting(self.candidates)))
        // Scores of equal shares are not to be compared with others.
        let keepsScores = rendezvous.isUniform && next.isUniform
        for slot in SlotKeeper.slots {
            let index = Int(slot.rawValue)
            if keepsScores, let winner = winners[index], !gone.contains(where: { $0.node == winner.node }) {
                winners[index] = arrived.winner(of: slot, over: winner)
            } else {
                winners[index] = next.winner(of: slot)
            }
        }
        self.candidates = candidates
        rendezvous = next
    }
}
