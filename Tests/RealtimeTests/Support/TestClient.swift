import FluxCore
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import FluxRealtime

/// The connection and client of one session, without a socket. Checks as it goes that sequence numbers have no gap.
final class TestClient: Sendable {
    struct Dispatch: Sendable {
        let sequence: UInt64
        let kind: EventKind
        let body: JSON
    }

    private struct State {
        var dispatches: [Dispatch] = []
        var acknowledgements: [JSON] = []
        var closed: GatewayCloseCode?
        /// Nothing more is waited for.
        var isOver = false
        var waiters:
            [(
                condition: @Sendable ([Dispatch], [JSON], GatewayCloseCode?) -> Bool,
                resume: CheckedContinuation<Void, Never>
            )] = []
        var expected: UInt64 = 1
        var broken: String?
    }

    private let node: TestNode
    let caller: Caller
    let loop: Int
    private let state = NIOLockedValueBox(State())
    /// The transport and the session's handle; touched on the loop alone.
    private let held = LoopConfined<(transport: Wire, handle: (any SessionHandle)?)?>(nil)

    init(node: TestNode, caller: Caller, loop: Int) {
        self.node = node
        self.caller = caller
        self.loop = loop
    }

    /// What the session sends into.
    private final class Wire: SessionTransport {
        let client: TestClient
        init(_ client: TestClient) { self.client = client }
        func deliver(_ event: StreamEvent, sequence: UInt64) { client.took(event, sequence) }
        func acknowledge(_ body: [UInt8]) { client.tookAcknowledgement(body) }
        func reconnect() { client.tookClose(.goingAway) }
        func close(_ code: GatewayCloseCode) { client.tookClose(code) }
    }

    private func took(_ event: StreamEvent, _ sequence: UInt64) {
        let body = (try? JSON.parse(event.body)) ?? .null
        update { state in
            if sequence != state.expected { state.broken = "got s=\(sequence), wanted \(state.expected)" }
            state.expected = sequence + 1
            state.dispatches.append(Dispatch(sequence: sequence, kind: event.kind, body: body))
        }
    }

    private func tookAcknowledgement(_ body: [UInt8]) {
        let json = (try? JSON.parse(body)) ?? .null
        update { $0.acknowledgements.append(json) }
    }

    private func update(_ change: (inout State) -> Void) {
        let ready = state.withLockedValue { state in
            change(&state)
            var ready: [CheckedContinuation<Void, Never>] = []
            let (dispatches, acknowledgements, closed) = (state.dispatches, state.acknowledgements, state.closed)
            state.waiters.removeAll { waiter in
                guard waiter.condition(dispatches, acknowledgements, closed) else { return false }
                ready.append(waiter.resume)
                return true
            }
            return ready
        }
        for waiter in ready { waiter.resume() }
    }

    // MARK: What the client does

    func identify(intents: Intents = .all) async throws {
        try await begin { [node, caller] wire, done in
            node.realtime.identify(
                IdentifyRequest(intents: intents, largeThreshold: 250, shard: nil, presence: nil),
                as: GatewayIdentity(userID: caller.userID, isBot: caller.isBot, loginID: nil), over: wire,
                completion: done)
        }
        await until { dispatches, _, closed in dispatches.contains { $0.kind == .ready } || closed != nil }
        try #require(closed == nil)
    }

    /// Takes a session up on this client, after `sequence`.
    func resume(_ identifier: String, after sequence: UInt64) async throws {
        state.withLockedValue { $0.expected = sequence + 1 }
        try await begin { [node, caller] wire, done in
            node.realtime.resume(
                identifier, after: sequence,
                as: GatewayIdentity(userID: caller.userID, isBot: caller.isBot, loginID: nil), over: wire,
                completion: done)
        }
    }

    private func begin(
        _ start:
            @escaping @Sendable (
                any SessionTransport, @escaping (Result<any SessionHandle, SessionRefusal>) -> Void
            ) -> Void
    ) async throws {
        let held = held
        let outcome: Result<Void, SessionRefusal> = await withCheckedContinuation { continuation in
            node.mesh.post(to: loop) {
                let wire = Wire(self)
                held.value = (wire, nil)
                start(wire) { result in
                    switch result {
                    case .success(let handle):
                        held.value = (wire, handle)
                        continuation.resume(returning: .success(()))
                    case .failure(let refusal): continuation.resume(returning: .failure(refusal))
                    }
                }
            }
        }
        try outcome.get()
    }

    /// Op 100.
    func send(_ text: String, to channel: ChannelID, nonce: String) {
        let body: JSON = [
            "channel_id": .string(channel.description), "nonce": .string(nonce), "content": .string(text),
        ]
        let held = held
        node.mesh.post(to: loop) { _ = held.value?.handle?.send(body) }
    }

    /// The link is lost.
    func drop(closeCode: UInt16? = nil) async {
        let held = held
        await withCheckedContinuation { continuation in
            node.mesh.post(to: loop) {
                held.value?.handle?.detach(closeCode: closeCode)
                held.value = nil
                continuation.resume()
            }
        }
    }

    // MARK: What the client saw

    /// Longer than anything that a test waits for; what has not come by then will not come.
    private static let patience: TimeAmount = .seconds(60)

    /// Waits until the condition holds for what has come so far. A connection that is closed before that, or that stays
    /// silent, fails the test with what the client saw last.
    func until(
        _ condition: @escaping @Sendable ([Dispatch], [JSON], GatewayCloseCode?) -> Bool,
        at location: SourceLocation = #_sourceLocation
    ) async {
        let impatience = node.mesh.executors[loop].eventLoop.scheduleTask(in: Self.patience) { self.giveUp() }
        await withCheckedContinuation { continuation in
            let holds = state.withLockedValue { state in
                if state.isOver || condition(state.dispatches, state.acknowledgements, state.closed) { return true }
                state.waiters.append((condition, continuation))
                return false
            }
            if holds { continuation.resume() }
        }
        impatience.cancel()
        state.withLockedValue { state in
            guard !condition(state.dispatches, state.acknowledgements, state.closed) else { return }
            let seen = state.dispatches.suffix(8).map { "\($0.sequence) \($0.kind)" }.joined(separator: ", ")
            let fate = state.closed.map { "closed with \($0)" } ?? "open and silent"
            Issue.record("what was waited for has not come: \(fate), last saw \(seen)", sourceLocation: location)
        }
    }

    private func giveUp() {
        let waiters = state.withLockedValue { state in
            state.isOver = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume.resume() }
    }

    // Nothing comes over a connection that is closed.
    private func tookClose(_ code: GatewayCloseCode) {
        update { $0.closed = code }
        giveUp()
    }

    var dispatches: [Dispatch] { state.withLockedValue(\.dispatches) }
    var acknowledgements: [JSON] { state.withLockedValue(\.acknowledgements) }
    var closed: GatewayCloseCode? { state.withLockedValue(\.closed) }
    /// What was wrong with the sequence numbers; nil if nothing.
    var broken: String? { state.withLockedValue(\.broken) }
    var lastSequence: UInt64 { state.withLockedValue { $0.expected - 1 } }

    var sessionID: String {
        dispatches.first { $0.kind == .ready }?.body["session_id"]?.stringValue ?? ""
    }

    /// The contents of the messages of a channel, in the order they came.
    func contents(of channel: ChannelID) -> [String] {
        dispatches.filter { $0.kind == .messageCreate && $0.body["channel_id"]?.snowflakeValue == channel }
            .compactMap { $0.body["content"]?.stringValue }
    }

    /// The seqs of a channel's events, in the order they came.
    func sequences(of channel: ChannelID) -> [Int] {
        dispatches.filter { $0.body["channel_id"]?.snowflakeValue == channel }.compactMap { $0.body["seq"]?.intValue }
    }
}
