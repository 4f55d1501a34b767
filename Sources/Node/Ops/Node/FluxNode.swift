import Logging

/// A node (placeholder until the engine lands).
public final class FluxNode: Sendable {
    private let stopping = StopRequest()
    public init(configuration: NodeConfiguration, metrics: MetricsRegistry, logger: Logger) {}
    @Sendable public func stop() { stopping.make() }
    @Sendable public func reload() {}
    public func run() async throws { await stopping.wait() }
}
