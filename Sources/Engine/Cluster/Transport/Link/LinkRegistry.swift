import NIOConcurrencyHelpers

/// A link that is up: where frames to one node go.
struct OpenLink: Sendable {
    let identity: NodeIdentity
    let version: WireVersion
    let features: LinkFeatures
    let control: LinkOutbox
    let bulk: LinkOutbox
}

/// A link in the making: its parts come one after the other.
final class PendingLink: Sendable {
    fileprivate struct State {
        var bulk: LinkOutbox?
        var isOpen = false
        var isOver = false
    }

    let identity: NodeIdentity
    let version: WireVersion
    let features: LinkFeatures
    let control: LinkOutbox
    fileprivate let state = NIOLockedValueBox(State())

    init(identity: NodeIdentity, version: WireVersion, features: LinkFeatures, control: LinkOutbox) {
        self.identity = identity
        self.version = version
        self.features = features
        self.control = control
    }

    /// The bulk connection is welcome.
    func add(bulk: LinkOutbox) {
        state.withLockedValue { $0.bulk = bulk }
    }
}

/// The links that are up, for the threads that send. A link is opened at most once, never after it was closed.
final class LinkRegistry: Sendable {
    private let links = NIOLockedValueBox<[NodeID: OpenLink]>([:])

    /// The link to a node.
    func link(to node: NodeID) -> OpenLink? {
        links.withLockedValue { $0[node] }
    }

    /// All of them.
    var all: [OpenLink] { links.withLockedValue { Array($0.values) } }

    /// From now on frames go over the link; false when it is over already, or not complete.
    func open(_ pending: PendingLink) -> Bool {
        pending.state.withLockedValue { state in
            guard !state.isOver, let bulk = state.bulk else { return false }
            guard !state.isOpen else { return true }
            state.isOpen = true
            let link = OpenLink(
                identity: pending.identity, version: pending.version, features: pending.features,
                control: pending.control, bulk: bulk)
            links.withLockedValue { $0[pending.identity.id] = link }
            return true
        }
    }

    /// From now on no frame goes over the link.
    func close(_ pending: PendingLink) {
        pending.state.withLockedValue { state in
            state.isOver = true
            if state.isOpen { _ = links.withLockedValue { $0.removeValue(forKey: pending.identity.id) } }
        }
    }

    /// Whether the link was ever open.
    func wasOpen(_ pending: PendingLink) -> Bool {
        pending.state.withLockedValue { $0.isOpen }
    }
}
