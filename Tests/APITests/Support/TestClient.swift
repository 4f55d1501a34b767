import NIOCore
import NIOPosix

/// What a server answered, as it was on the wire.
struct TestResponse: Sendable {
    var status: Int
    var fields: [(name: String, value: String)]
    var body: [UInt8]

    /// The first value of a field, whatever its case.
    subscript(name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// Reads a response that ends with the connection.
    init?(_ bytes: [UInt8]) {
        let end = Array("\r\n\r\n".utf8)
        guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else { return nil }
        let lines = String(decoding: bytes[..<start], as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first, let status = Int(first.split(separator: " ").dropFirst().first ?? "") else {
            return nil
        }
        self.status = status
        fields = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count == 2 ? String(parts[1].drop { $0 == " " }) : "")
        }
        body = Array(bytes[(start + 4)...])
    }
}

/// Sends requests byte by byte as a test wants them, one connection each.
struct TestClient: Sendable {
    let port: Int

    struct NoResponse: Error {
        let bytes: [UInt8]
    }

    /// Sends a request and returns its answer.
    func send(
        _ method: String, _ path: String, as credential: String? = "person 7", _ fields: [(String, String)] = [],
        body: [UInt8]? = nil
    ) async throws -> TestResponse {
        var head = "\(method) \(path) HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        if let credential { head += "authorization: \(credential)\r\n" }
        for field in fields { head += "\(field.0): \(field.1)\r\n" }
        if let body, !fields.contains(where: { $0.0 == "transfer-encoding" }) {
            head += "content-length: \(body.count)\r\n"
        }
        return try await raw(Array((head + "\r\n").utf8) + (body ?? []))
    }

    /// Sends a request with a JSON body.
    func send(
        _ method: String, _ path: String, as credential: String? = "person 7", json: String
    ) async throws -> TestResponse {
        try await send(method, path, as: credential, [("content-type", "application/json")], body: Array(json.utf8))
    }

    /// Sends bytes and returns what comes until the server closes.
    func raw(_ bytes: [UInt8]) async throws -> TestResponse {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let answer = try await channel.executeThenClose { inbound, outbound in
            // A server may answer and close before it has read everything.
            try? await outbound.write(ByteBuffer(bytes: bytes))
            var answer: [UInt8] = []
            do {
                for try await part in inbound { answer += Array(buffer: part) }
            } catch {
                if answer.isEmpty { throw error }
            }
            return answer
        }
        guard let response = TestResponse(answer) else { throw NoResponse(bytes: answer) }
        return response
    }
}

/// The body of a chunked request, cut into pieces.
func chunked(_ body: [UInt8], pieces: Int) -> [UInt8] {
    var wire: [UInt8] = []
    var rest = body[...]
    let size = max(1, body.count / pieces)
    while !rest.isEmpty {
        let piece = rest.prefix(size)
        rest = rest.dropFirst(piece.count)
        wire += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
    }
    return wire + Array("0\r\n\r\n".utf8)
}
