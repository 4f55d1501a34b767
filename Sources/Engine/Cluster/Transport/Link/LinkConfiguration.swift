import FluxSecurity
import Logging

/// How a node takes part in the network of its cluster.
public struct LinkConfiguration: Sendable {
    /// The cluster.
    public var cluster: ClusterID
    /// How links are secured.
    public var security: LinkSecurity
    /// Where the cluster port listens; port 0 lets the system choose.
    public var listen: PeerAddress
    /// What is spoken; another dialect than this build's own is for tests.
    public var dialect = WireDialect.own
    /// What the node says that it can do; another set than this build's own is for tests.
    public var features = LinkFeatures.own
    /// The bounds.
    public var limits = LinkLimits()
    /// Decides on nodes that want to join; nil refuses them.
    public var joinDesk: JoinDesk?
    /// Spreads the waits before a node is dialled again.
    public var random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    /// Where links are logged.
    public var logger = Logger(label: "flux.links")
    /// Hears of links that come and go, and of refusals; from any loop, in order per peer, and must not block.
    public var onEvent: (@Sendable (LinkEvent) -> Void)?

    /// A configuration with the defaults for everything else.
    public init(cluster: ClusterID, security: LinkSecurity, listen: PeerAddress) {
        self.cluster = cluster
        self.security = security
        self.listen = listen
    }
}
