import FluxCluster

/// For how long a node may pass on what comes from another one (I7). A value without I/O; times are milliseconds of the
/// engine's clock.
///
/// Each node asks those whose streams it relays for a lease, twice a second. The lease runs from the moment of asking at the
/// relay's side and from the later moment of granting at the owner's, so the owner never believes it over too early: once it
/// has run out there, the relay passes on nothing, and a kick need not wait for it.
package struct RelayLeases {
    /// How long a lease lasts.
    package static let milliseconds: UInt64 = 2_000
    /// How often it is asked for.
    package static let renewalMilliseconds: UInt64 = 500

    private var granted: [NodeID: UInt64] = [:]
    private var held: [NodeID: UInt64] = [:]

    package init() {}

    /// A relay's node asked.
    package mutating func grant(to peer: NodeID, at now: UInt64) { granted[peer] = now + Self.milliseconds }

    /// When the last lease that a node was given runs out; 0 if it never had one.
    package func grantedUntil(_ peer: NodeID) -> UInt64 { granted[peer] ?? 0 }

    /// An owner granted what was asked for at `asked`.
    /// - Returns: whether there was no lease just before: what came meanwhile was passed over.
    package mutating func renewed(by owner: NodeID, askedAt asked: UInt64, at now: UInt64) -> Bool {
        let lapsed = !isHeld(from: owner, at: now)
        held[owner] = max(held[owner] ?? 0, asked + Self.milliseconds)
        return lapsed
    }

    /// An owner answered a registration that left at `asked`: as good as a grant.
    /// - Returns: whether a lease that had lapsed is held again. An answer that came too late for that renews nothing, and leaves it
    ///   to the next grant to say so.
    package mutating func revived(by owner: NodeID, askedAt asked: UInt64, at now: UInt64) -> Bool {
        renewed(by: owner, askedAt: asked, at: now) && isHeld(from: owner, at: now)
    }

    /// Whether what comes from the owner's node may be passed on.
    package func isHeld(from owner: NodeID, at now: UInt64) -> Bool { held[owner].map { now < $0 } ?? false }
}
