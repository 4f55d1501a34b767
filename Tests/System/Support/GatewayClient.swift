import FluxCore
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A strict gateway client: one session over as many connections as its test wants.
///
/// It beats its heart, keeps every dispatch in order, and notes whatever a server must not do (``violations``): a gap or
/// repeat in `s`, a gap in a channel's `seq`, a message told twice, a malformed frame. What a test waits for is waited
/// for by condition, with a limit that only a hang reaches.
final class GatewayClient: Sendable {
    typealias Dispatch = DispatchLedger.Dispatch

    /// How a connection is asked for.
    struct Options: Sendable {
        var isCompressed = false
        var isBatched = false
        /// The kernel's receive buffer, small for tests of slow readers.
        var receiveBuffer: Int?
        /// Sends no heartbeat by itself.
        var isSilent = false
        /// Is told of each dispatch on the thread that has read it, before anything that waits.
        var observer: (@Sendable (Dispatch) -> Void)?

        init(
            isCompressed: Bool = false, isBatched: Bool = false, receiveBuffer: Int? = nil, isSilent: Bool = false
        ) {
            self.isCompressed = isCompressed
            self.isBatched = isBatched
            self.receiveBuffer = receiveBuffer
            self.isSilent = isSilent
        }
    }

    /// What kept a test from going on.
    enum Failure: Error, CustomStringConvertible {
        case timedOut(waitingFor: String, state: String)
        case connectionEnded(closeCode: Int?)
        case invalidSession(resumable: Bool)

        var description: String {
            switch self {
            case .timedOut(let what, let state): "nothing came of \(what); \(state)"
            case .connectionEnded(let code): "the connection ended with \(code.map(String.init) ?? "no code")"
            case .invalidSession(let resumable): "INVALID_SESSION \(resumable)"
            }
        }
    }

    /// The acknowledgement of a send (protocol 10.2).
    struct Acknowledgement: Sendable {
        let nonce: String
        let body: JSON

        var messageID: String? { body["id"]?.stringValue }
        var seq: Int? { body["seq"]?.intValue }
        var errorCode: Int? { body["error"]?["code"]?.intValue }
    }

    private struct State {
        var ledger = DispatchLedger()
        var acknowledgements: [String: Acknowledgement] = [:]
        var acknowledgedNonces: [String] = []
        var sessionID: String?
        var resumeURL: String?
        var channel: (any NIOCore.Channel)?
        /// Counts connections, so that the end of an old one is not taken for the end of the new one.
        var connection = 0
        var isHelloReceived = false
        var isConnected = false
        var closeCode: Int?
        var invalidSession: Bool?
        var reconnectRequests = 0
    }

    private let group: any EventLoopGroup
    private let host: String
    private let port: Int
    private let token: String
    private let options: Options
    private let state = NIOLockedValueBox(State())
    private let waiters = Waiters()

    /// How long a wait may take before the test is taken to hang.
    static let limit = Duration.seconds(60)

    init(
        host: String = "127.0.0.1", port: Int, token: String, options: Options = Options(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.host = host
        self.port = port
        self.token = token
        self.options = options
        self.group = group
    }

    // MARK: What it knows

    var dispatches: [Dispatch] { state.withLockedValue { $0.ledger.dispatches } }
    var violations: [String] { state.withLockedValue { $0.ledger.violations } }
    var lastSequence: Int? { state.withLockedValue { $0.ledger.lastSequence } }
    var sessionID: String? { state.withLockedValue { $0.sessionID } }
    var isConnected: Bool { state.withLockedValue { $0.isConnected } }
    /// What the last close frame of the server said.
    var closeCode: Int? { state.withLockedValue { $0.closeCode } }
    /// How often op 7 came.
    var reconnectRequests: Int { state.withLockedValue { $0.reconnectRequests } }
    /// The nonces of all acknowledgements, in the order they came.
    var acknowledgedNonces: [String] { state.withLockedValue { $0.acknowledgedNonces } }

    /// The nonces or contents of the messages that were announced, in order.
    func messages(in channelID: String) -> [Dispatch] {
        dispatches.filter { $0.kind == "MESSAGE_CREATE" && $0.data["channel_id"]?.stringValue == channelID }
    }

    // MARK: Connecting

    /// Connects and begins a session. - Returns: READY.
    @discardableResult
    func identify(intents: Int? = nil, presence: JSON? = nil) async throws -> Dispatch {
        try await connect()
        var members: [(String, JSON)] = [("token", .string(token)), ("properties", [:])]
        if let intents { members.append(("intents", JSON(intents))) }
        if let presence { members.append(("presence", presence)) }
        let count = dispatches.count
        send(2, .object(JSONObject(members.map { JSONObject.Member(key: $0.0, value: $0.1) })))
        return try await wait("READY") { state in
            if let isResumable = state.invalidSession { throw Failure.invalidSession(resumable: isResumable) }
            return state.ledger.dispatches.dropFirst(count).first { $0.kind == "READY" }
        }
    }

    /// Connects anew and takes the session up again. - Returns: RESUMED.
    /// - Throws: ``Failure/invalidSession(resumable:)`` when the server does not have it any more.
    @discardableResult
    func resume() async throws -> Dispatch {
        try await connect()
        let (sessionID, sequence, count) = state.withLockedValue {
            ($0.sessionID ?? "", $0.ledger.lastSequence ?? 0, $0.ledger.dispatches.count)
        }
        send(6, ["token": .string(token), "session_id": .string(sessionID), "seq": JSON(sequence)])
        return try await wait("RESUMED") { state in
            if let isResumable = state.invalidSession { throw Failure.invalidSession(resumable: isResumable) }
            return state.ledger.dispatches.dropFirst(count).first { $0.kind == "RESUMED" }
        }
    }

    private func connect() async throws {
        dropTCP()
        var target = "/?v=10&encoding=json"
        if options.isCompressed { target += "&compress=zlib-stream" }
        if options.isBatched { target += "&batch=1" }
        let connection = state.withLockedValue { state in
            state.connection += 1
            state.isHelloReceived = false
            state.closeCode = nil
            state.invalidSession = nil
            return state.connection
        }
        let authority = "\(host):\(port)"
        let isCompressed = options.isCompressed
        var bootstrap = ClientBootstrap(group: group).channelInitializer { [target] channel in
            channel.eventLoop.makeCompletedFuture {
                let wire = GatewayWire(host: authority, target: target, isCompressed: isCompressed) { event in
                    self.take(event, of: connection, on: channel)
                }
                try channel.pipeline.syncOperations.addHandler(wire)
            }
        }
        if let size = options.receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(size))
        }
        let channel = try await bootstrap.connect(host: host, port: port).get()
        state.withLockedValue { state in
            if state.connection == connection { state.channel = channel }
        }
        _ = try await wait("HELLO") { $0.isHelloReceived ? true : nil }
    }

    // MARK: Leaving

    /// Cuts the connection off without a word, as a lost network does.
    func dropTCP() {
        let channel = state.withLockedValue { state in
            defer { state.channel = nil }
            state.connection += 1
            state.isConnected = false
            return state.channel
        }
        channel?.close(promise: nil)
    }

    /// Ends the connection with a reset, whatever is under way: what has not been read yet is lost.
    func resetTCP() async throws {
        let channel = state.withLockedValue { state in
            defer { state.channel = nil }
            state.connection += 1
            state.isConnected = false
            return state.channel
        }
        guard let channel else { return }
        try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try? await channel.close()
    }

    /// Closes in good order with the code: 1000 ends the session, 4000 means to come back.
    func close(code: UInt16 = 1000) async throws {
        guard let channel = state.withLockedValue({ $0.channel }) else { return }
        GatewayWire.write(channel, opcode: 8, [UInt8(code >> 8), UInt8(code & 0xFF)])
        try await waitForEnd()
    }

    /// Stops reading from the socket, so that the server's writes back up.
    func stopReading() async throws {
        try await state.withLockedValue { $0.channel }?.setOption(.autoRead, value: false).get()
    }

    /// Reads again.
    func startReading() async throws {
        guard let channel = state.withLockedValue({ $0.channel }) else { return }
        try await channel.setOption(.autoRead, value: true).get()
        channel.read()
    }

    // MARK: Sending

    /// Sends any payload.
    func send(_ opcode: Int, _ body: JSON) {
        guard let channel = state.withLockedValue({ $0.channel }) else { return }
        GatewayWire.write(channel, opcode: 1, (["op": JSON(opcode), "d": body] as JSON).encoded())
    }

    /// Sends a message over the socket (op 100), without waiting for its acknowledgement.
    func sendMessage(_ content: String, to channelID: String, nonce: String) {
        send(100, ["channel_id": .string(channelID), "nonce": .string(nonce), "content": .string(content)])
    }

    /// Sends a message and waits for its acknowledgement.
    func sendMessageAndWait(_ content: String, to channelID: String, nonce: String) async throws -> Acknowledgement {
        sendMessage(content, to: channelID, nonce: nonce)
        return try await acknowledgement(of: nonce)
    }

    // MARK: Waiting

    /// Waits for the acknowledgement of a send.
    func acknowledgement(of nonce: String) async throws -> Acknowledgement {
        try await wait("the acknowledgement of \(nonce)") { $0.acknowledgements[nonce] }
    }

    /// Forgets an acknowledgement, so that the one of a repeat can be waited for.
    func forgetAcknowledgement(of nonce: String) { state.withLockedValue { $0.acknowledgements[nonce] = nil } }

    /// Waits until a dispatch has come that the condition holds for, an earlier one too.
    @discardableResult
    func dispatch(_ what: String = "a dispatch", where condition: @escaping (Dispatch) -> Bool) async throws -> Dispatch
    {
        try await wait(what) { $0.ledger.dispatches.first(where: condition) }
    }

    /// Waits until so many messages have been announced in a channel.
    func waitForMessages(_ count: Int, in channelID: String) async throws {
        _ = try await wait("\(count) messages") { state in
            let found = state.ledger.dispatches.count {
                $0.kind == "MESSAGE_CREATE" && $0.data["channel_id"]?.stringValue == channelID
            }
            return found >= count ? true : nil
        }
    }

    /// Waits for the end of the connection. - Returns: what the server's close frame said.
    @discardableResult
    func waitForEnd() async throws -> Int? {
        try await wait("the end of the connection", needsConnection: false) { state in
            state.isConnected || state.channel != nil ? nil : Optional<Int?>.some(state.closeCode)
        }
    }

    private func wait<Result: Sendable>(
        _ what: String, needsConnection: Bool = true, _ condition: @escaping (inout State) throws -> Result?
    ) async throws -> Result {
        let end = ContinuousClock.now + Self.limit
        while true {
            let round = waiters.round
            let found = try state.withLockedValue { state in
                if let found = try condition(&state) { return Optional(found) }
                if needsConnection, state.channel == nil, state.closeCode != nil || state.isHelloReceived {
                    throw Failure.connectionEnded(closeCode: state.closeCode)
                }
                return nil
            }
            if let found { return found }
            guard ContinuousClock.now < end else {
                let (last, count) = state.withLockedValue {
                    ($0.ledger.dispatches.last?.kind, $0.ledger.dispatches.count)
                }
                throw Failure.timedOut(waitingFor: what, state: "\(count) dispatches, the last \(last ?? "none")")
            }
            await waiters.wait(after: round, atMost: .milliseconds(500))
        }
    }

    // MARK: What comes

    private func take(_ event: GatewayWire.Event, of connection: Int, on channel: any NIOCore.Channel) {
        let interval: Int? = state.withLockedValue { state in
            guard state.connection == connection else { return nil }
            switch event {
            case .opened:
                state.isConnected = true
            case .violation(let violation):
                state.ledger.note(violation: violation)
            case .closing(let code):
                state.closeCode = code
            case .gone:
                state.isConnected = false
                state.channel = nil
            case .payload(let payload):
                return Self.interval(afterTaking: payload, &state)
            }
            return nil
        }
        if let observer = options.observer, case .payload(let payload) = event,
            let dispatch = Self.dispatch(in: payload)
        {
            observer(dispatch)
        }
        waiters.wake()
        if let interval, !options.isSilent { beat(every: interval, of: connection, on: channel) }
    }

    /// - Returns: the heartbeat interval, when the payload is HELLO.
    private static func interval(afterTaking payload: JSON, _ state: inout State) -> Int? {
        let body = payload["d"] ?? .null
        switch payload["op"]?.intValue {
        case 0:
            guard let dispatch = dispatch(in: payload) else {
                state.ledger.note(violation: "a dispatch without t or s")
                return nil
            }
            if dispatch.kind == "READY" { state.sessionID = body["session_id"]?.stringValue }
            state.ledger.record(dispatch)
        case 1, 11:
            break
        case 7:
            state.reconnectRequests += 1
        case 9:
            state.invalidSession = body.boolValue
        case 10:
            state.isHelloReceived = true
            return body["heartbeat_interval"]?.intValue
        case 101:
            let nonce = body["nonce"]?.stringValue ?? ""
            state.acknowledgements[nonce] = Acknowledgement(nonce: nonce, body: body)
            state.acknowledgedNonces.append(nonce)
        default:
            state.ledger.note(violation: "a payload of opcode \(payload["op"].map { "\($0)" } ?? "none")")
        }
        return nil
    }

    private static func dispatch(in payload: JSON) -> Dispatch? {
        guard payload["op"]?.intValue == 0, let kind = payload["t"]?.stringValue,
            let sequence = payload["s"]?.intValue
        else { return nil }
        return Dispatch(kind: kind, sequence: sequence, data: payload["d"] ?? .null)
    }

    private func beat(every interval: Int, of connection: Int, on channel: any NIOCore.Channel) {
        let sequence = state.withLockedValue { state in
            state.connection == connection ? Optional(state.ledger.lastSequence) : nil
        }
        guard let sequence, channel.isActive else { return }
        let body = sequence.map { JSON($0) } ?? .null
        GatewayWire.write(channel, opcode: 1, (["op": 1, "d": body] as JSON).encoded())
        channel.eventLoop.scheduleTask(in: .milliseconds(Int64(interval))) {
            self.beat(every: interval, of: connection, on: channel)
        }
    }
}

/// Those who wait for something to change.
private final class Waiters: Sendable {
    private struct Waiting {
        var round = 0
        var continuations: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
    }

    private let waiting = NIOLockedValueBox(Waiting())

    /// Counts changes.
    var round: Int { waiting.withLockedValue { $0.round } }

    func wake() {
        let continuations = waiting.withLockedValue { waiting in
            waiting.round += 1
            defer { waiting.continuations = [:] }
            return waiting.continuations.values
        }
        for continuation in continuations { continuation.resume() }
    }

    /// Returns at the next change after `round`, or when the time is over.
    func wait(after round: Int, atMost time: Duration) async {
        let number = waiting.withLockedValue { waiting in
            waiting.next += 1
            return waiting.next
        }
        let timer = Task {
            try await Task.sleep(for: time)
            waiting.withLockedValue { $0.continuations.removeValue(forKey: number) }?.resume()
        }
        await withCheckedContinuation { continuation in
            let isOver = waiting.withLockedValue { waiting in
                guard waiting.round == round else { return true }
                waiting.continuations[number] = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
        timer.cancel()
    }
}
