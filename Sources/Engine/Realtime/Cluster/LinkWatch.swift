import FluxCluster
import NIOConcurrencyHelpers

/// Carries what the links tell to the node's part in the cluster, which is made after them. What comes before that is
/// dropped: links begin later.
public final class LinkWatch: Sendable {
    private let listener = NIOLockedValueBox<(@Sendable (LinkEvent) -> Void)?>(nil)

    /// A watch that nobody listens to yet.
    public init() {}

    /// For `LinkConfiguration.onEvent`.
    @Sendable public func tell(_ event: LinkEvent) { listener.withLockedValue { $0 }?(event) }

    func listen(_ listener: @escaping @Sendable (LinkEvent) -> Void) {
        self.listener.withLockedValue { $0 = listener }
    }
}
