import Logging
import ServiceLifecycle

/// A server that listens, running in a task of its own.
struct RunningServer: Sendable {
    /// How long what is open may take when the server is stopped; then it is cut off.
    private static let patience = Duration.seconds(10)

    private let services: ServiceGroup
    private let task: Task<Void, any Error>

    /// Starts a server and returns when it listens.
    /// - Parameters:
    ///   - name: what the address is called in the configuration, with the address, for the failure.
    ///   - make: makes the server; it calls what it is given when it listens.
    static func start(
        named name: String, logger: Logger, make: (@escaping @Sendable () -> Void) throws -> any Service
    ) async throws -> RunningServer {
        let (listening, continuation) = AsyncStream.makeStream(of: Void.self)
        let service = try make { continuation.yield() }
        var configuration = ServiceGroupConfiguration(services: [.init(service: service)], logger: logger)
        configuration.maximumGracefulShutdownDuration = patience
        let services = ServiceGroup(configuration: configuration)
        let task = Task {
            defer { continuation.finish() }
            try await services.run()
        }
        for await _ in listening {
            return RunningServer(services: services, task: task)
        }
        // It ended before it listened.
        do {
            try await task.value
        } catch {
            throw CommandFailure(listeningOn: name, error)
        }
        throw CommandFailure(.unavailable, "\(name): the server ended")
    }

    /// Accepts no more, waits for what is open, and returns when the server has ended.
    func stop() async {
        await services.triggerGracefulShutdown()
        // A group that had to cut connections off says so by an error; that was meant.
        _ = await task.result
    }
}
