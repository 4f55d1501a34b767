import FluxCore
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Calls a node's admin port, for the commands that ask a running node. Plain HTTP/1.1, one connection a call.
struct AdminClient: Sendable {
    /// The origin, `http://127.0.0.1:9400`.
    let url: URL

    /// A client of that origin.
    init(_ text: String) throws(CommandFailure) {
        guard let url = URL(string: text), url.scheme == "http", url.host != nil else {
            throw CommandFailure(.usage, "--admin \(text): expected http://host:port")
        }
        self.url = url
    }

    /// The longest answer that `call` takes, bytes.
    private static let answerLimit = 4 << 20

    /// Sends a request and returns the JSON that the node answers.
    func call(_ method: HTTPMethod, _ path: String, body: JSON = [:]) async throws -> JSON {
        var answer = ByteBuffer()
        try await send(method, path, body: body.encoded()) { piece in
            guard answer.readableBytes + piece.readableBytes <= Self.answerLimit else {
                throw CommandFailure(.failure, "the node's answer is too long")
            }
            answer.writeImmutableBuffer(piece)
        }
        guard let value = try? JSON.parse(Array(answer.readableBytesView)) else {
            throw CommandFailure(.failure, "the node's answer is no JSON: is \(url) an admin port of Flux?")
        }
        return value
    }

    /// Whether a node answers.
    func isAnswered() async -> Bool {
        do {
            try await send(.GET, "/livez", body: []) { _ in }
            return true
        } catch {
            return false
        }
    }

    /// Posts a body and hands over the answer piece by piece. An answer other than 200 becomes a failure with its text.
    func post(_ path: String, body: [UInt8], onPiece: (ByteBuffer) throws -> Void) async throws {
        try await send(.POST, path, body: body, onPiece: onPiece)
    }

    private func send(
        _ method: HTTPMethod, _ path: String, body: [UInt8], onPiece: (ByteBuffer) throws -> Void
    ) async throws {
        let host = url.host ?? "127.0.0.1"
        let port = url.port ?? 80
        let channel: NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
        do {
            channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        return try NIOAsyncChannel(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(
                                inboundType: HTTPClientResponsePart.self, outboundType: HTTPClientRequestPart.self))
                    }
                }
        } catch {
            throw CommandFailure(.noNode, "no node answers at \(url): is it running, with this admin_listen?")
        }
        let headers: HTTPHeaders = [
            "Host": "\(host):\(port)", "Content-Type": "application/json", "Content-Length": String(body.count),
            "Connection": "close", AdminServer.guardHeader: "1",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
        try await channel.executeThenClose { inbound, outbound in
            // A node that refuses may answer and close before it has read everything. Then writing fails, and the answer
            // says why; without one, reading finds that it is missing.
            try? await outbound.write(contentsOf: [
                .head(head), .body(.byteBuffer(ByteBuffer(bytes: body))), .end(nil),
            ])
            try await Self.read(inbound, onPiece: onPiece)
        }
    }

    private static func read(
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>, onPiece: (ByteBuffer) throws -> Void
    ) async throws {
        var status = HTTPResponseStatus.ok
        var refusal = ""
        var parts = inbound.makeAsyncIterator()
        // A connection that broke ends the answer as one that was closed does.
        while let part = try? await parts.next() {
            switch part {
            case .head(let head): status = head.status
            case .body(let piece) where status == .ok: try onPiece(piece)
            case .body(let piece): refusal += String(buffer: piece)
            case .end:
                guard status == .ok else { throw failure(status, refusal) }
                return
            }
        }
        throw CommandFailure(.noNode, "the node closed the connection before its answer was complete")
    }

    /// What the node says in its refusal, or that it refused.
    private static func failure(_ status: HTTPResponseStatus, _ body: String) -> CommandFailure {
        if let refusal = try? JSON.parse(Array(body.utf8)), let message = refusal["error"]?.stringValue,
            let code = refusal["code"]?.stringValue, let exit = ExitStatus.allCases.first(where: { $0.code == code })
        {
            return CommandFailure(exit, message)
        }
        let exit: ExitStatus = status == .serviceUnavailable ? .unavailable : .failure
        return CommandFailure(exit, "the node refused with \(status.code): \(body)")
    }
}
