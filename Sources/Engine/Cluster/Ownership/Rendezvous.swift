import FluxCore
import Foundation

/// Weighted rendezvous hashing: which node should own a slot.
///
/// Every node computes the same answer from the same set of nodes, without talking. A node that comes or goes moves only
/// the slots that it gains or held; a node of weight 2 gets twice as many as one of weight 1. (Thaler and Ravishankar,
/// "A Name-Based Mapping Scheme for Rendezvous", 1996; logarithmic weights after Schindelhauer and Schomaker, 2005.)
public struct Rendezvous: Sendable {
    /// A node that can own slots.
    public struct Candidate: Hashable, Sendable {
        /// Which node.
        public let node: NodeID
        /// Its share, relative to the others'; above 0.
        public let weight: Double

        /// A candidate with a share.
        public init(node: NodeID, weight: Double = 1) {
            self.node = node
            self.weight = weight
        }
    }

    /// Who should own a slot, and with which score.
    struct Winner: Sendable {
        let node: NodeID
        let score: Double
    }

    private let candidates: [Candidate]
    /// All have the same share: the greatest hash has the greatest score, and no logarithm is needed.
    let isUniform: Bool

    /// The candidates in any order; those without a positive weight get no slot.
    public init(_ candidates: [Candidate]) {
        self.candidates = candidates.filter { $0.weight > 0 }
        isUniform = self.candidates.allSatisfy { [first = self.candidates.first] in $0.weight == first?.weight }
    }

    /// The node that should own the slot; nil without candidates.
    public func owner(of slot: Slot) -> NodeID? { winner(of: slot)?.node }

    /// The winner among the candidates and one that has won over others.
    func winner(of slot: Slot, over other: Winner? = nil) -> Winner? {
        var best = other
        for candidate in candidates {
            let fraction = Self.fraction(slot, candidate.node)
            let score = isUniform ? fraction : -candidate.weight / log(fraction)
            if let known = best, (score, candidate.node) < (known.score, known.node) { continue }
            best = Winner(node: candidate.node, score: score)
        }
        return best
    }

    /// What a slot and a node share by chance: between 0 and 1, and neither.
    private static func fraction(_ slot: Slot, _ node: NodeID) -> Double {
        let hash = mix(UInt64(slot.rawValue) << 16 | UInt64(node.rawValue))
        // 53 bits, moved by a half so that the logarithm of 0 is never asked for.
        return (Double(hash >> 11) + 0.5) / 9_007_199_254_740_992
    }

    /// The finaliser of SplitMix64: every bit of the input changes half of the output's.
    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
