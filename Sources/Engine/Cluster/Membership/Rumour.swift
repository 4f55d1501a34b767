/// A piece of news about a member, as it travels between nodes.
public enum Rumour: Hashable, Sendable {
    /// How the member is held to be.
    case health(HealthRumour)
    /// What the member says about itself.
    case report(NodeReport)

    /// Whom it is about.
    var subject: NodeID {
        switch self {
        case .health(let rumour): rumour.node
        case .report(let report): report.node
        }
    }
}
