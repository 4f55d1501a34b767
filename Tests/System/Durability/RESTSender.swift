import FluxCore

/// A person who sends over REST and, when the answer does not come, sends the same again until it does.
struct RESTSender: Sendable {
    let person: Population.Person
    let client: HTTPClient
    let ledger: SendLedger

    /// Sends one message, for as long as it takes.
    func send(_ send: SendLedger.Send) async throws {
        let body: JSON = [
            "content": .string("message \(send.nonce)"), "nonce": .string(send.nonce), "enforce_nonce": true,
        ]
        _ = try await eventually("an answer to \(send.nonce)", within: .seconds(180), every: .milliseconds(30)) {
            () async throws -> Bool? in
            let answer: HTTPClient.Response
            do {
                answer = try await client.send(.POST, "/api/v10/channels/\(send.channel)/messages", body)
            } catch is HTTPClient.ConnectionLost {
                return nil
            }
            switch answer.status {
            case 200:
                guard let id = answer.body["id"]?.stringValue, let seq = answer.body["seq"]?.intValue else {
                    throw HarnessError("a message without id or seq: \(answer.text)")
                }
                ledger.acknowledge(send, .init(id: id, seq: seq))
                return true
            case 503:
                // Nothing was stored, or it is not known: the nonce makes both the same.
                return nil
            default:
                throw HarnessError("sending \(send.nonce): \(answer.status) \(answer.text)")
            }
        }
    }
}
