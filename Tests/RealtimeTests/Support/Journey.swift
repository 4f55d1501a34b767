import FluxCore
import Testing

@testable import FluxRealtime

/// What became of one session over all its connections.
struct Journey {
    var audit = SessionAudit()
    let identifier: String
    let member: Caller
    var client: TestClient
    private(set) var last: UInt64 = 0

    init(_ client: TestClient) {
        self.client = client
        identifier = client.sessionID
        member = client.caller
    }

    /// The client knows what has come over this connection by now, and comes back with that.
    mutating func rest() {
        let seen = client.dispatches.filter { $0.sequence > last }
        #expect(client.broken == nil)
        audit.feed(seen)
        last = seen.last?.sequence ?? last
    }

    /// RESUME on a node; as often as it is told to try again.
    mutating func resume(on node: TestNode, loop: Int = 0) async throws {
        for _ in 0..<2_000 {
            let next = TestClient(node: node, caller: member, loop: loop)
            do {
                try await next.resume(identifier, after: last)
            } catch SessionRefusal.invalidSession(resumable: true) {
                try await Task.sleep(for: .milliseconds(5))
                continue
            }
            client = next
            return
        }
        Issue.record("the session was never taken up")
    }

    func untilResumed() async {
        await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .resumed } }
    }

    func until(_ content: String) async {
        await client.until { dispatches, _, _ in
            dispatches.contains { $0.body["content"]?.stringValue == content }
        }
    }
}
