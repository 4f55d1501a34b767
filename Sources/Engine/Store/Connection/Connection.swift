import CPostgres
import FluxCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One libpq connection, for the thread that made it.
///
/// It is always in pipeline mode: statements are sent without waiting for the answers of the ones before. Statements are
/// prepared when first used. Once a call has thrown `.unavailable` or `.timedOut` the connection is finished; its owner
/// makes a new one.
final class Connection {
    /// What a pipeline brought: the rows of the statements that ran, and the first failure, if there was one. After a
    /// failure Postgres skips the rest of the pipeline.
    struct PipelineResult {
        var rows: [Rows] = []
        var failure: Failure?

        struct Failure {
            /// Which of the statements failed.
            var index: Int
            var error: StoreError
        }
    }

    private let handle: OpaquePointer
    private var prepared: [String: PreparedQuery] = [:]
    private var isCancelling = true
    private(set) var isUsable = true

    /// Called four times a second while an answer is waited for; it must not use the connection.
    var whileWaiting: (() -> Void)?
    private static let waitingSlice: Duration = .milliseconds(250)

    /// Connects; blocks for at most the configuration's `connectTimeout` (per address of the host).
    init(_ configuration: DatabaseConfiguration, settings: [(name: String, value: String)] = []) throws(StoreError) {
        var parameters = try ConnectionString(configuration.url)
        parameters.set("application_name", configuration.applicationName)
        parameters.set("client_encoding", "UTF8")
        parameters.set("connect_timeout", String(max(2, configuration.connectTimeout.components.seconds)))
        parameters.set("tcp_user_timeout", String(configuration.unacknowledgedTimeout.wholeMilliseconds))
        parameters.set("keepalives", "1")
        parameters.set("keepalives_idle", "2")
        parameters.set("keepalives_interval", "1")
        parameters.set("keepalives_count", "3")
        let ownSettings = Connection.settings(configuration) + settings
        for (name, value) in ownSettings { parameters.addSetting(name, value) }

        let keywords = parameters.values.keys.sorted()
        let values = keywords.map { parameters.values[$0] ?? "" }
        let connected = CStringArray.with(keywords) { keywords in
            CStringArray.with(values) { values in PQconnectdbParams(keywords, values, 0) }
        }
        guard let connected else { throw .unavailable("out of memory") }
        handle = connected
        guard PQstatus(handle) == CONNECTION_OK else { throw abandon() }
        // Notices would go to standard error.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw abandon() }
    }

    deinit { PQfinish(handle) }

    /// What the server is to do when this end goes away without a word: end the transaction soon, whose locks others wait
    /// for, and the rest when the network has noticed.
    private static func settings(_ configuration: DatabaseConfiguration) -> [(name: String, value: String)] {
        [
            ("idle_in_transaction_session_timeout", "\(configuration.idleTransactionTimeout.wholeMilliseconds)ms"),
            ("tcp_keepalives_idle", "5"), ("tcp_keepalives_interval", "2"), ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "\(configuration.unacknowledgedTimeout.wholeMilliseconds * 2)ms"),
        ]
    }

    /// The socket, for waiting until something happens on an idle connection.
    var socket: Int32 { PQsocket(handle) }

    /// Whether the server's last word left a transaction open.
    var isInTransaction: Bool { PQtransactionStatus(handle) != PQTRANS_IDLE }

    /// Looks at what has arrived on an idle connection, without waiting. False when the connection has died.
    func checkIdle() -> Bool {
        // A server that closes says why first: the end stands behind the words, and takes another look to be seen.
        for _ in 0..<Connection.longestFarewell where isUsable {
            var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, 0) > 0 else { break }
            isUsable = PQconsumeInput(handle) == 1 && PQstatus(handle) == CONNECTION_OK
        }
        return isUsable
    }

    /// Reads of an idle connection, each of kilobytes. A server has a notice or a changed setting to tell, no more.
    private static let longestFarewell = 16

    /// Sends `statements` as one pipeline and waits for all answers, until `deadline`.
    ///
    /// Without BEGIN and COMMIT among them the pipeline is one transaction. Throws when the connection broke
    /// (`.unavailable`), the deadline passed (`.timedOut`) or a statement does not fit its query (`.invalid`; nothing was
    /// sent). At the deadline the server is asked to cancel, unless `cancelling` is false: a commit that waits for a
    /// synchronous standby must not be cancelled, because that would make it durable here alone.
    func run(
        _ statements: [Statement], until deadline: ContinuousClock.Instant, cancelling: Bool = true
    ) throws(StoreError) -> PipelineResult {
        isCancelling = cancelling
        guard isUsable else { throw .unavailable("the connection has been lost") }
        var encoded: [EncodedParameters] = []
        encoded.reserveCapacity(statements.count)
        // Everything that can be found wrong here is found before the first byte is sent.
        var named: [String: PreparedQuery] = [:]
        for statement in statements {
            let query = statement.query
            let known = prepared[query.name] ?? named.updateValue(query, forKey: query.name) ?? query
            guard known == query else { throw .invalid("two queries are named \(query.name)") }
            encoded.append(try EncodedParameters(statement))
        }

        var steps: [Step] = []
        var preparing: Set<String> = []
        for index in statements.indices {
            let query = statements[index].query
            if prepared[query.name] == nil, preparing.insert(query.name).inserted {
                try sendPreparation(of: query)
                steps.append(.prepare(index))
            }
            let sent = encoded[index].withPointers { count, values, lengths, formats in
                PQsendQueryPrepared(handle, query.name, count, values, lengths, formats, 1)
            }
            guard sent == 1 else { throw abandon() }
            steps.append(.execute(index))
        }
        guard PQpipelineSync(handle) == 1 else { throw abandon() }

        var result = PipelineResult()
        for step in steps { try receive(step, of: statements, into: &result, until: deadline) }
        try receiveSync(until: deadline)
        // The server's copy of a query is gone or no longer fits the schema: only a new connection prepares it again.
        if result.failure?.error.asksForPreparation == true { isUsable = false }
        return result
    }

    /// Runs SQL text of several commands that belongs to the program, without parameters and without a deadline: for
    /// migrations and for setting a server up, never for anything that a user had a part in.
    func runScript(_ sql: [UInt8]) throws(StoreError) {
        guard isUsable, PQexitPipelineMode(handle) == 1, PQsetnonblocking(handle, 0) == 0 else { throw abandon() }
        let text = String(decoding: sql, as: UTF8.self)
        guard let answer = PQexec(handle, text) else { throw abandon() }
        defer { PQclear(answer) }
        guard [PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY].contains(PQresultStatus(answer)) else {
            guard let error = StoreError(refusal: answer) else { throw abandon() }
            try returnToPipeline()
            throw error
        }
        try returnToPipeline()
    }

    private func returnToPipeline() throws(StoreError) {
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw abandon() }
    }

    // MARK: Machinery

    /// What libpq will answer, in the order sent.
    private enum Step {
        case prepare(Int)
        case execute(Int)
    }

    private func sendPreparation(of query: PreparedQuery) throws(StoreError) {
        let types = query.parameterTypes.map(\.rawValue)
        guard PQsendPrepare(handle, query.name, query.sql, Int32(types.count), types) == 1 else { throw abandon() }
    }

    private func receive(
        _ step: Step, of statements: [Statement], into result: inout PipelineResult,
        until deadline: ContinuousClock.Instant
    ) throws(StoreError) {
        guard let answer = try next(until: deadline) else { throw lost("an answer is missing") }
        switch PQresultStatus(answer) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
            let storage = ResultStorage(owning: answer)
            switch step {
            case .prepare(let index): prepared[statements[index].query.name] = statements[index].query
            case .execute: result.rows.append(Rows(storage: storage))
            }
        case PGRES_PIPELINE_ABORTED:
            PQclear(answer)
        default:
            let error = StoreError(refusal: answer)
            PQclear(answer)
            guard let error else { throw abandon() }
            if result.failure == nil {
                switch step {
                case .prepare(let index), .execute(let index): result.failure = .init(index: index, error: error)
                }
            }
        }
        // Each answer is closed by an empty one.
        guard try next(until: deadline) == nil else { throw lost("more than one answer to a statement") }
    }

    private func receiveSync(until deadline: ContinuousClock.Instant) throws(StoreError) {
        guard let answer = try next(until: deadline) else { throw lost("the end of the pipeline is missing") }
        defer { PQclear(answer) }
        guard PQresultStatus(answer) == PGRES_PIPELINE_SYNC else { throw abandon() }
    }

    /// The next answer of the pipeline, or nil for the end of one statement's answers. Writes what is still to be sent
    /// while it waits, so that two full socket buffers cannot block each other.
    private func next(until deadline: ContinuousClock.Instant) throws(StoreError) -> OpaquePointer? {
        while true {
            let unsent = PQflush(handle)
            guard unsent >= 0 else { throw abandon() }
            if PQisBusy(handle) == 0 { return PQgetResult(handle) }
            let left = deadline - .now
            guard left > .zero else { throw cancel() }
            var descriptor = pollfd(fd: socket, events: Int16(unsent == 1 ? POLLIN | POLLOUT : POLLIN), revents: 0)
            let slice = whileWaiting == nil ? left : min(left, Connection.waitingSlice)
            let ready = poll(&descriptor, 1, Int32(clamping: slice.wholeMilliseconds + 1))
            if ready == 0 { whileWaiting?() }
            if ready > 0, descriptor.revents & ~Int16(POLLOUT) != 0, PQconsumeInput(handle) == 0 { throw abandon() }
        }
    }

    /// Asks the server to cancel, and gives the connection up: what it was doing is not known.
    private func cancel() -> StoreError {
        isUsable = false
        if isCancelling, let request = PQgetCancel(handle) {
            var reason = [CChar](repeating: 0, count: 256)
            _ = PQcancel(request, &reason, Int32(reason.count))
            PQfreeCancel(request)
        }
        return .timedOut
    }

    /// Gives the connection up for the reason that libpq names.
    private func abandon() -> StoreError {
        lost(PQerrorMessage(handle).map { String(cString: $0).onOneLine } ?? "")
    }

    private func lost(_ reason: String) -> StoreError {
        isUsable = false
        return .unavailable(reason.isEmpty ? "the connection was closed" : reason)
    }
}

extension StoreError {
    /// What the server said in an error answer. Nil when the answer was made up by libpq because the connection broke,
    /// or says that the server is closing it.
    init?(refusal answer: OpaquePointer) {
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(answer, Int32(code.value)).map { String(cString: $0) }
        }
        // The codes of libpq-fe.h: C SQLSTATE, n constraint name, M primary message, V severity.
        guard let state = field("C"), field("V") == "ERROR" else { return nil }
        if state.hasPrefix("23") {
            self = .constraint(name: field("n") ?? "", sqlState: state)
        } else {
            self = .refused(sqlState: state, message: field("M") ?? "")
        }
    }
}

extension Duration {
    /// Milliseconds, rounded down, at least 0.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
