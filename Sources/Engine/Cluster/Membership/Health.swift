/// How a member is held to be. The raw values travel between nodes and never change their meaning.
public enum Health: UInt8, Sendable, Comparable {
    /// Its row was read, but nothing of this incarnation was heard yet. Stays on the node that thinks so.
    case unheard = 0
    /// Answers, itself or through others.
    case alive = 1
    /// Did not answer; is dead unless it refutes that in time.
    case suspect = 2
    /// Did not refute. It can come back: as itself by a refutation, or as a later incarnation.
    case dead = 3
    /// Said that it leaves. Only a later incarnation comes back.
    case left = 4

    /// Orders by what overrides what, as long as nothing else decides.
    public static func < (left: Health, right: Health) -> Bool { left.rawValue < right.rawValue }

    /// Whether the member counts as somebody who can be talked to.
    public var isLiving: Bool { self == .alive || self == .suspect }
}
