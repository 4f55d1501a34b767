import Foundation
import NIOCore
import NIOPosix

/// A real implementation of S3, `moto_server`, as a process of its own, for tests that are run where it is installed
/// (`pip install 'moto[server]'`; FLUX_MOTO_SERVER may name the command).
final class MotoServer: Sendable {
    /// The command, nil where it is not installed.
    static let command: String? = {
        let environment = ProcessInfo.processInfo.environment
        let candidates =
            [environment["FLUX_MOTO_SERVER"]].compactMap(\.self)
            + (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/moto_server" }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    struct DidNotStart: Error {}

    let port: Int
    private let process: Process

    /// Starts a server and returns when it accepts connections.
    init() async throws {
        guard let command = Self.command else { throw DidNotStart() }
        let probe = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        port = probe.localAddress?.port ?? 0
        try await probe.close()
        process = Process()
        process.executableURL = URL(fileURLWithPath: command)
        process.arguments = ["-H", "127.0.0.1", "-p", "\(port)"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        while true {
            if let channel = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port).get()
            {
                try await channel.close()
                return
            }
            guard process.isRunning else { throw DidNotStart() }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    deinit {
        // Not terminated: a child of a thread that blocks signals blocks them too, and Dispatch's threads do.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
