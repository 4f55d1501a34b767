import FluxAPI
import FluxCore
import FluxSecurity
import FluxStore
import FluxTestSupport
import Foundation
import HTTPTypes
import Hummingbird
import NIOConcurrencyHelpers
import NIOCore

/// What a request was answered.
struct TestAnswer: Sendable {
    let status: Int
    let fields: HTTPFields
    let json: JSON

    /// The cookies that the answer sets, as their whole fields.
    var cookies: [String] { fields[values: .setCookie] }

    /// The value that the answer gives to a cookie.
    func cookie(_ name: String) -> String? {
        cookies.first { $0.hasPrefix(name + "=") }?.dropFirst(name.count + 1).split(
            separator: ";", omittingEmptySubsequences: false
        ).first.map(String.init)
    }

    var code: Int? { json["code"]?.intValue }

    /// The code of the first complaint about a field.
    func complaint(_ field: String) -> String? {
        json["errors"]?[field]?["_errors"]?.arrayValue?.first?["code"]?.stringValue
    }
}

/// The account routes of one node over a real Postgres; several nodes may share a database.
///
/// The suites that use it run their tests one after the other: each makes a database, and dozens at once would only wait
/// for each other.
struct AccountNode: Sendable {
    static let publicURL = "https://chat.example"

    /// Cheap, so that the tests measure nothing but the logic.
    static let parameters = PasswordHasher.Parameters(memoryKibibytes: 64, passes: 1, lanes: 1)

    let database: Database
    let clock: TestClock
    let revoker = RecordingRevoker()
    let engine: RecordingEngine
    let memberships = NIOLockedValueBox<[UserID: [GuildID]]>([:])
    let system: AccountSystem
    private let responder: APIResponder
    private let files: Files

    /// The node's directory, which goes with it.
    private final class Files: Sendable {
        let path = NSTemporaryDirectory() + "flux-accounts-\(UUID().uuidString)"

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    /// A node with a database of its own.
    static func start(
        publicURL: String = publicURL, limits: RateLimitConfiguration = RateLimitConfiguration(isOn: false)
    ) async throws -> AccountNode {
        try await AccountNode(
            database: TestPostgres.shared.database().open(), clock: TestClock(), publicURL: publicURL, limits: limits,
            firstID: Snowflake.lowest(atMilliseconds: Timestamp.now().milliseconds))
    }

    /// Another node of the same cluster.
    func peer() async throws -> AccountNode {
        try await AccountNode(
            database: database, clock: clock, publicURL: Self.publicURL,
            limits: RateLimitConfiguration(isOn: false),
            firstID: Snowflake(try engine.mintID().rawValue + 1 << 12))
    }

    private init(
        database: Database, clock: TestClock, publicURL: String, limits: RateLimitConfiguration, firstID: Snowflake
    ) async throws {
        self.database = database
        self.clock = clock
        let engine = RecordingEngine(firstID: firstID)
        self.engine = engine
        system = AccountSystem(
            database: database, hasher: PasswordHasher(parameters: Self.parameters, threads: 1), publicURL: publicURL,
            revoker: revoker, logger: TestDatabase.silence, mintID: { try engine.mintID() }, now: { clock.now })
        files = Files()
        let storage = try DirectoryStorage(root: files.path + "/files")
        let services = Services(
            engine: engine,
            directory: TestDirectory(
                users: Users(database), memberships: memberships, invites: ["welcome": GuildID(77)]),
            storage: storage, spool: try UploadSpool(directory: files.path + "/uploads"), publicOrigin: publicURL)
        let routes = RouteTable(
            authenticator: system.authenticator,
            limits: RateLimitGate(configuration: limits, limiter: LocalRateLimiter()))
        services.register(in: routes, storage: storage)
        AccountRoutes(system: system, services: services).register(in: routes)
        ApplicationRoutes(database: database, system: system, services: services).register(in: routes)
        responder = routes.makeResponder(configuration: .init(logger: TestDatabase.silence))
        try await system.refresh()
    }

    /// Sends a request past the socket.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ fields: [(HTTPField.Name, String)] = [], _ body: JSON? = nil,
        from address: String = "127.0.0.1"
    ) async throws -> TestAnswer {
        var head = HTTPRequest(method: method, scheme: "https", authority: "chat.example", path: "/api/v10" + path)
        for (name, value) in fields { head.headerFields.append(HTTPField(name: name, value: value)) }
        let bytes = body.map { ByteBuffer(bytes: $0.encoded()) } ?? ByteBuffer()
        let response = try await responder.answer(
            Request(head: head, body: RequestBody(buffer: bytes)),
            peer: ClientAddress(try SocketAddress(ipAddress: address, port: 1)))
        let collected = NIOLockedValueBox(ByteBuffer())
        try await response.body.write(BodyCollector(collected: collected))
        let text = collected.withLockedValue { Array(buffer: $0) }
        return TestAnswer(
            status: response.status.code, fields: response.headers, json: (try? JSON.parse(text)) ?? .null)
    }

    func post(
        _ path: String, _ body: JSON, _ fields: [(HTTPField.Name, String)] = []
    ) async throws -> TestAnswer {
        try await send(.post, path, fields, body)
    }

    func get(_ path: String, _ fields: [(HTTPField.Name, String)] = []) async throws -> TestAnswer {
        try await send(.get, path, fields)
    }

    /// Registers somebody and gives the answer with tokens in it.
    func register(_ username: String, password: String = "correct horse") async throws -> TestAnswer {
        try await post(
            "/auth/register",
            ["username": .string(username), "password": .string(password), "return_token": true])
    }

    /// The header of a person's token.
    static func bearing(_ answer: TestAnswer) -> [(HTTPField.Name, String)] {
        [(.authorization, answer.json["token"]?.stringValue ?? "none")]
    }

    private struct BodyCollector: ResponseBodyWriter {
        let collected: NIOLockedValueBox<ByteBuffer>

        func write(_ buffer: ByteBuffer) async throws {
            collected.withLockedValue { _ = $0.writeImmutableBuffer(buffer) }
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}
