import FluxCore
import FluxRealtime
import NIOConcurrencyHelpers
import NIOCore

@testable import FluxGateway

/// The session layer as a gateway sees it: answers IDENTIFY with READY, keeps what it was told, and delivers what a test
/// wants delivered.
final class FakeSessions: SessionService, @unchecked Sendable {
    /// Everything that connections have said, in order. Behind a lock, for tests read it from their own threads.
    let journal = NIOLockedValueBox<[String]>([])
    private let sessions = NIOLockedValueBox<[NIOLoopBound<FakeSession>]>([])
    /// How the next RESUME is answered.
    let resumeRefusal = NIOLockedValueBox<SessionRefusal?>(.invalidSession(resumable: false))
    let eventLoops: [any EventLoop]

    init(eventLoops: [any EventLoop]) {
        self.eventLoops = eventLoops
    }

    func record(_ entry: String) {
        journal.withLockedValue { $0.append(entry) }
    }

    func identify(
        _ request: IdentifyRequest, as identity: GatewayIdentity, over transport: any SessionTransport,
        completion: @escaping (Result<any SessionHandle, SessionRefusal>) -> Void
    ) {
        record("identify \(identity.userID) intents \(request.intents.rawValue)")
        begin(transport, completion)
        transport.deliver(StreamEvent(kind: .ready, body: Array(#"{"v":10}"#.utf8)), sequence: 1)
    }

    func resume(
        _ identifier: String, after sequence: UInt64, as identity: GatewayIdentity,
        over transport: any SessionTransport,
        completion: @escaping (Result<any SessionHandle, SessionRefusal>) -> Void
    ) {
        record("resume \(identifier) after \(sequence)")
        if let refusal = resumeRefusal.withLockedValue({ $0 }) {
            completion(.failure(refusal))
            return
        }
        begin(transport, completion)
        transport.deliver(StreamEvent(kind: .resumed, body: Array("{}".utf8)), sequence: sequence + 1)
    }

    private func begin(
        _ transport: any SessionTransport, _ completion: (Result<any SessionHandle, SessionRefusal>) -> Void
    ) {
        guard let eventLoop = eventLoops.first(where: { $0.inEventLoop }) else {
            preconditionFailure("sessions are asked for on loops")
        }
        let session = FakeSession(service: self, transport: transport)
        sessions.withLockedValue { $0.append(NIOLoopBound(session, eventLoop: eventLoop)) }
        completion(.success(session))
    }

    var count: Int { sessions.withLockedValue { $0.count } }

    /// Delivers events to all sessions, `perTurn` of them in each turn of their loop.
    func deliver(_ bodies: [String], kind: EventKind = .messageCreate) {
        let events = bodies.map { StreamEvent(kind: kind, body: Array($0.utf8)) }
        onEach { session in
            for event in events { session.deliver(event) }
        }
    }

    /// Runs something for each session that is attached, on its loop.
    func onEach(_ work: @escaping @Sendable (FakeSession) -> Void) {
        for session in sessions.withLockedValue({ $0 }) {
            session.eventLoop.execute { if session.value.transport != nil { work(session.value) } }
        }
    }
}

/// One session. It writes what it is asked into the service's journal.
final class FakeSession: SessionHandle {
    private unowned let service: FakeSessions
    private(set) weak var transport: (any SessionTransport)?
    private(set) var sequence: UInt64 = 1

    init(service: FakeSessions, transport: any SessionTransport) {
        self.service = service
        self.transport = transport
    }

    var identifier: String { "fake" }

    func deliver(_ event: StreamEvent) {
        sequence += 1
        transport?.deliver(event, sequence: sequence)
    }

    func heartbeat(acknowledged: UInt64?) {
        service.record("heartbeat \(acknowledged.map(String.init) ?? "null")")
    }

    func updatePresence(_ body: JSON) -> Bool {
        service.record("presence")
        return body.objectValue != nil
    }

    func updateVoiceState(_ body: JSON) -> Bool { true }

    func requestMembers(_ body: JSON) -> Bool {
        service.record("members")
        return true
    }

    func send(_ body: JSON) -> Bool {
        guard let nonce = body["nonce"]?.stringValue else { return false }
        service.record("send \(nonce)")
        transport?.acknowledge(Array(#"{"nonce":"\#(nonce)"}"#.utf8))
        return true
    }

    func detach(closeCode: UInt16?) {
        transport = nil
        service.record("detach \(closeCode.map(String.init) ?? "nil")")
    }
}

/// Knows two tokens: `person` and `bot`. `down` fails.
struct FakeAuthenticator: GatewayAuthenticator {
    struct Down: Error {}

    func identity(forToken token: String) async throws -> GatewayIdentity? {
        switch token {
        case "person": return GatewayIdentity(userID: UserID(7), isBot: false, loginID: nil)
        case "bot": return GatewayIdentity(userID: UserID(8), isBot: true, loginID: nil)
        case "down": throw Down()
        default: return nil
        }
    }
}
