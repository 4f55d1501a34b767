import FluxCore
import FluxStore

/// How two people come to be friends, and cease to be, though neither can change the other's half (protocol 9.1, I11).
///
/// Each of the two says three things about the other, under a version that grows: whether and since which version friendship
/// is wanted, up to which version the other one's wishes are declined or over, and whether the other one is blocked. What
/// they are to each other is a function of the two halves:
///
/// - a half's wish counts while it is later than what the other half has dismissed;
/// - both wish: friends; one: outgoing for who wishes, incoming for the other; a block hides everything from who is blocked.
///
/// A change touches one half alone, and the other side is sent the whole half. So a word that comes twice, or behind a later
/// one, changes nothing; and when both have heard the other's last word, both compute from the same two halves: there is no
/// order of deliveries that leaves half a friendship.
extension RelationshipSide {
    /// What the halves come to, from this side.
    var resultingKind: Relationship.Kind? {
        if own.blocks { return .blocked }
        if peer.blocks { return nil }
        switch (wants, isWanted) {
        case (true, true): return .friend
        case (true, false): return .outgoing
        case (false, true): return .incoming
        case (false, false): return nil
        }
    }

    /// Whether one of the two has blocked the other: no messages, no presence, no typing.
    var isBlockedEitherWay: Bool { own.blocks || peer.blocks }

    private var wants: Bool { own.want > peer.dismissed }
    private var isWanted: Bool { peer.want > own.dismissed }

    /// Asks for friendship, or accepts it.
    func asking(version: Snowflake, at now: Timestamp) -> RelationshipSide {
        saying(version, at: now) { half in half.want = half.version }
    }

    /// Withdraws, declines, ends the friendship, or lifts the block: nothing that either said before counts any more.
    func ending(version: Snowflake, at now: Timestamp) -> RelationshipSide {
        saying(version, at: now) { half in
            half.want = Snowflake(0)
            half.dismissed = peer.version
            half.blocks = false
        }
    }

    /// Blocks the other one.
    func blocking(version: Snowflake, at now: Timestamp) -> RelationshipSide {
        saying(version, at: now) { half in
            half.want = Snowflake(0)
            half.dismissed = peer.version
            half.blocks = true
        }
    }

    /// The other side said something; nil where it is no news.
    func hearing(_ half: RelationshipHalf, at moment: Timestamp) -> RelationshipSide? {
        guard half.version > peer.version else { return nil }
        var side = self
        side.peer = half
        side.settle(at: moment)
        return side
    }

    /// - Parameter version: a new id. Should it not be above the last one, because two nodes' clocks differ, the next number
    ///   does: versions are compared with each other alone.
    private func saying(
        _ version: Snowflake, at now: Timestamp, _ change: (inout RelationshipHalf) -> Void
    ) -> RelationshipSide {
        var side = self
        side.own.version = max(version, Snowflake(own.version.rawValue + 1))
        change(&side.own)
        side.settle(at: now)
        return side
    }

    private mutating func settle(at moment: Timestamp) {
        let new = resultingKind
        guard new != kind else { return }
        kind = new
        since = moment
        if new != .friend { nickname = nil }
    }
}
