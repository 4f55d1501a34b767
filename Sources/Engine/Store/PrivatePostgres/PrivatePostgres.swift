import Foundation
import Logging

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A Postgres server of the node's own, for development, tests and small installations (design 10).
///
/// It is the installed server's `initdb` and `postgres`, on a Unix socket in the data directory that only this user can
/// reach, and, if asked for, on a port of the loopback with a password. It never runs as root. It is watched and started
/// again when it dies; it survives the death of the node and is adopted by the next one; `stop` stops it.
public final class PrivatePostgres: Sendable {
    /// How a private server is set up.
    public struct Configuration: Sendable {
        /// The node's data directory; the server's files lie below it. Absolute.
        public var dataDirectory: String
        /// The port on 127.0.0.1; nil: none.
        public var port: Int?
        /// Settings over Postgres's defaults, such as `max_connections`.
        public var settings: [String: String] = [:]
        /// Whether this process takes descendants that lose their parent as its children, so that a server that was
        /// killed is started again whatever process 1 does. It holds for the whole process and is never taken back.
        public var adoptsOrphans: Bool

        public init(dataDirectory: String, port: Int? = nil, adoptsOrphans: Bool = false) {
            self.dataDirectory = dataDirectory
            self.port = port
            self.adoptsOrphans = adoptsOrphans
        }
    }

    /// The user and the database that are made in the server.
    private static let name = "flux"
    /// The socket's name when there is no port of TCP.
    private static let defaultPort = 5432

    private let configuration: Configuration
    private let user: ServerUser
    private let place: ServerPlace
    private let programs: ServerPrograms
    private let logger: Logger
    private let supervision = Locked(Supervision())
    private let wakeup: Wakeup

    private struct Supervision {
        var isStopping = false
        var isRunning = false
        var restarts = 0
    }

    private init(_ configuration: Configuration, logger: Logger) throws(StoreError) {
        self.configuration = configuration
        self.logger = logger
        wakeup = try Wakeup()
        let user = try ServerUser.current()
        self.user = user
        try PrivatePostgres.makeDirectory(configuration.dataDirectory, mode: 0o755, of: nil)
        place = ServerPlace(below: configuration.dataDirectory) { user.canEnter($0) }
        let version = try? String(contentsOfFile: place.data + "/PG_VERSION", encoding: .utf8)
        programs = try ServerPrograms.find(version: version?.trimmed)
    }

    /// Makes the server if there is none, starts it or adopts it if it runs, and waits until it accepts connections.
    ///
    /// Throws `StoreError.cannotStart` with what is wrong and what to do.
    public static func start(_ configuration: Configuration, logger: Logger) async throws(StoreError) -> PrivatePostgres
    {
        try await onThread("pg-start") { () throws(StoreError) in
            if configuration.adoptsOrphans { Orphans.adopt() }
            let server = try PrivatePostgres(configuration, logger: logger)
            try server.prepare()
            try server.launch()
            try server.createDatabase()
            server.supervision.withLock { $0.isRunning = true }
            Thread.detachNamed("pg-supervisor") { server.supervise() }
            return server
        }
    }

    /// The connection string over the Unix socket, for this user of this machine.
    public var url: String {
        "host='\(place.sockets)' port=\(port) user=\(PrivatePostgres.name) dbname=\(PrivatePostgres.name)"
    }

    /// The connection string over TCP, with its password; nil without a port.
    public var networkURL: String? {
        guard let port = configuration.port, let password else { return nil }
        return "postgres://\(PrivatePostgres.name):\(password)@127.0.0.1:\(port)/\(PrivatePostgres.name)"
    }

    /// The server's process; nil while there is none.
    public var process: Int32? {
        PostmasterFile(dataDirectory: place.data).flatMap { $0.isAlive ? $0.process : nil }
    }

    /// How often it has been started again because it had died.
    public var restarts: Int { supervision.withLock { $0.restarts } }

    /// How a server is stopped, in Postgres's own words.
    public enum Shutdown: String, Sendable {
        /// Ends connections and writes everything out.
        case fast
        /// Ends at once; the next start recovers from the log. For tests.
        case immediate
    }

    /// Stops the server and its supervision.
    public func stop(_ shutdown: Shutdown = .fast) async throws(StoreError) {
        let wasRunning = supervision.withLock { supervision in
            supervision.isStopping = true
            return supervision.isRunning
        }
        wakeup.wake()
        guard wasRunning else { return }
        try await onThread("pg-stop") { [self] () throws(StoreError) in try control(stopping: shutdown) }
    }

    /// Stops the server from the calling thread, which waits: for the end of a process.
    public func stopNow(_ shutdown: Shutdown = .immediate) throws(StoreError) {
        supervision.withLock { $0.isStopping = true }
        wakeup.wake()
        try control(stopping: shutdown)
    }

    /// Stops the server at once and lets supervision start it again: for tests of what depends on it.
    public func crash() async throws(StoreError) {
        try await onThread("pg-crash") { [self] () throws(StoreError) in
            guard let former = process else { return }
            // Not by pg_ctl: that waits for the server to be gone, and may never see it so once supervision starts the next.
            kill(former, SIGQUIT)
            let deadline = ContinuousClock.now + .seconds(60)
            while process == former {
                guard ContinuousClock.now < deadline else { throw .cannotStart("process \(former) does not end") }
                usleep(10_000)
            }
        }
    }

    // MARK: Making

    private var port: Int { configuration.port ?? PrivatePostgres.defaultPort }

    private var password: String? {
        (try? String(contentsOfFile: place.password, encoding: .utf8))?.trimmed
    }

    /// Makes the directories and, once, the server's data; writes its settings.
    private func prepare() throws(StoreError) {
        if place.isElsewhere {
            try PrivatePostgres.makeDirectory("/var/lib/flux", mode: 0o755, of: nil)
            logger.notice("the private Postgres lies in \(place.root): \(user.name) cannot enter the data directory")
        }
        try PrivatePostgres.makeDirectory(place.root, mode: 0o700, of: user)
        try PrivatePostgres.makeDirectory(place.sockets, mode: 0o700, of: user)
        if password == nil { try write(PrivatePostgres.randomPassword() + "\n", to: place.password) }
        if !FileManager.default.fileExists(atPath: place.data + "/PG_VERSION") {
            logger.info("making a private Postgres in \(place.data)")
            try run(
                programs.initdb,
                [
                    "--pgdata=\(place.data)", "--username=\(PrivatePostgres.name)", "--pwfile=\(place.password)",
                    "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C",
                    "--data-checksums",
                ])
        }
        try writeSettings()
    }

    private func writeSettings() throws(StoreError) {
        var settings = [
            "listen_addresses": configuration.port == nil ? "" : "127.0.0.1",
            "port": String(port),
            "unix_socket_directories": place.sockets,
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            // A service that may not make memory executable could run no query that Postgres thinks worth compiling.
            "jit": "off",
            "logging_collector": "off",
        ]
        settings.merge(configuration.settings) { $1 }
        let lines = settings.sorted { $0.key < $1.key }.map { name, value in
            "\(name) = '\(value.replacingOccurrences(of: "'", with: "''"))'\n"
        }
        try write("# Written at every start.\n" + lines.joined(), to: place.data + "/flux.conf")
        let main = place.data + "/postgresql.conf"
        let include = "include 'flux.conf'\n"
        guard let text = try? String(contentsOfFile: main, encoding: .utf8) else {
            throw .cannotStart("\(main) cannot be read")
        }
        if !text.hasSuffix(include) { try write(text + include, to: main) }
    }

    /// The database may be there already.
    private func createDatabase() throws(StoreError) {
        let administration = DatabaseConfiguration(
            url: "host='\(place.sockets)' port=\(port) user=\(PrivatePostgres.name) dbname=postgres",
            applicationName: "flux/setup")
        let connection = try Connection(administration)
        let exists = PreparedQuery("private.exists", "SELECT 1 FROM pg_database WHERE datname = $1", [.text])
        let answer = try connection.run(
            [Statement(exists, [.text(PrivatePostgres.name)])], until: .now + .seconds(10))
        if let failure = answer.failure { throw failure.error }
        guard answer.rows.first?.isEmpty == true else { return }
        try connection.runScript(Array("CREATE DATABASE flux".utf8))
    }

    // MARK: Running

    /// Starts the server, or adopts one that runs with the same settings.
    private func launch() throws(StoreError) {
        if let running = PostmasterFile(dataDirectory: place.data), running.isAlive {
            if running.port == port, running.socketDirectory == place.sockets {
                logger.info("adopting the private Postgres that runs as process \(running.process)")
                return try awaitReadiness()
            }
            logger.info("restarting the private Postgres, because its address has changed")
            try control(stopping: .fast)
        }
        try run(
            programs.control,
            ["start", "--pgdata=\(place.data)", "--log=\(place.log)", "--wait", "--timeout=60", "--silent"])
        try awaitReadiness()
    }

    private func awaitReadiness() throws(StoreError) {
        let deadline = ContinuousClock.now + .seconds(60)
        let address = DatabaseConfiguration(
            url: "host='\(place.sockets)' port=\(port) user=\(PrivatePostgres.name) dbname=postgres",
            applicationName: "flux/setup")
        while true {
            do throws(StoreError) {
                _ = try Connection(address)
                return
            } catch {
                // Whoever started it does so again; waiting would be for nobody.
                guard PostmasterFile(dataDirectory: place.data)?.isAlive == true else {
                    throw .cannotStart("it ended before it accepted connections; see \(place.log)")
                }
                guard ContinuousClock.now < deadline else {
                    throw .cannotStart("it does not accept connections: \(error)")
                }
                wakeup.wait(orReadable: nil, for: .milliseconds(100))
            }
        }
    }

    private func control(stopping shutdown: Shutdown) throws(StoreError) {
        guard let running = PostmasterFile(dataDirectory: place.data), running.isAlive else { return }
        try run(
            programs.control,
            ["stop", "--pgdata=\(place.data)", "--mode=\(shutdown.rawValue)", "--wait", "--timeout=60", "--silent"])
    }

    /// Starts the server again whenever it has died, until `stop`.
    private func supervise() {
        var pause = Duration.milliseconds(250)
        while !supervision.withLock({ $0.isStopping }) {
            wakeup.wait(orReadable: nil, for: pause)
            if configuration.adoptsOrphans { Orphans.reap() }
            if let running = PostmasterFile(dataDirectory: place.data), running.isAlive {
                pause = .milliseconds(250)
                continue
            }
            guard !supervision.withLock({ $0.isStopping }) else { return }
            logger.warning("the private Postgres has died and is started again; see \(place.log)")
            do throws(StoreError) {
                try launch()
                supervision.withLock { $0.restarts += 1 }
            } catch {
                logger.error("\(error)")
                pause = min(.seconds(10), pause * 2)
            }
        }
    }

    @discardableResult
    private func run(_ executable: String, _ arguments: [String]) throws(StoreError) -> String {
        let outcome = try user.command(executable, arguments).run()
        guard outcome.succeeded else {
            // The last lines say why; the rest is in the file.
            let log = (try? String(contentsOfFile: place.log, encoding: .utf8))?.suffix(600) ?? ""
            throw .cannotStart("\(executable) ended with \(outcome.status): \(outcome.output)\n\(log)".onOneLine)
        }
        return outcome.output
    }

    // MARK: Files

    private static func makeDirectory(_ path: String, mode: mode_t, of user: ServerUser?) throws(StoreError) {
        if !FileManager.default.fileExists(atPath: path) {
            do {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: Int(mode)])
            } catch {
                throw .cannotStart("\(path) cannot be made: \(error)")
            }
        }
        guard let user else { return }
        try user.own(path)
        guard chmod(path, mode) == 0 else {
            throw .cannotStart("\(path) cannot be protected: \(String(cString: strerror(errno)))")
        }
    }

    /// Writes a file that only the server's user can read.
    private func write(_ text: String, to path: String) throws(StoreError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .cannotStart("\(path) cannot be written: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else {
            throw .cannotStart("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        try user.own(path)
    }

    private static func randomPassword() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in String(generator.next(), radix: 36) }.joined()
    }
}

/// Runs blocking work on a thread of its own, so that none of Swift's cooperative pool waits.
func onThread<Value: Sendable>(
    _ name: String, _ body: @escaping @Sendable () throws(StoreError) -> Value
) async throws(StoreError) -> Value {
    let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
        Thread.detachNamed(name) {
            do throws(StoreError) {
                continuation.resume(returning: .success(try body()))
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }
    return try result.get()
}
