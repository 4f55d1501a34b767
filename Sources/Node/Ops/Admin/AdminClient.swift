import FluxCore
import Foundation
import NIOConcurrencyHelpers
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
    /// How long a node may be silent before a call has failed: longer than it waits for Postgres itself, so that it can say
    /// what is the matter.
    static let patience = Duration.seconds(15)
    /// How long it may be silent when it is asked whether it lives.
    private static let pulsePatience = Duration.seconds(5)
    /// How long connecting may take.
    private static let connectTime = TimeAmount.seconds(5)

    /// The node took the connection and did not answer, or not to the end.
    private enum Unanswered: Error {
        /// Nothing came for too long.
        case silent
        case closed
    }

    /// Sends a request and returns the JSON that the node answers.
    /// - Parameters:
    ///   - limit: how long the node may be silent.
    ///   - hint: what is said beside the failure when the node may have done what was asked and has not answered.
    func call(
        _ method: HTTPMethod, _ path: String, body: JSON = [:], within limit: Duration = Self.patience,
        ifUnanswered hint: String = ""
    ) async throws -> JSON {
        var answer = ByteBuffer()
        try await send(method, path, body: body.encoded(), within: limit, ifUnanswered: hint) { piece in
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

    /// Whether a node is there. One that takes the connection and says nothing is.
    func isAnswered() async -> Bool {
        do {
            try await exchange(.GET, "/livez", body: [], within: Self.pulsePatience) { _ in }
            return true
        } catch {
            return error as? Unanswered == .silent
        }
    }

    /// Posts a body and hands over the answer piece by piece. An answer other than 200 becomes a failure with its text.
    /// - Parameter limit: how long the node may be silent, before the answer and in it.
    func post(
        _ path: String, body: [UInt8], within limit: Duration = Self.patience, onPiece: (ByteBuffer) throws -> Void
    ) async throws {
        try await send(.POST, path, body: body, within: limit, onPiece: onPiece)
    }

    private func send(
        _ method: HTTPMethod, _ path: String, body: [UInt8], within limit: Duration, ifUnanswered hint: String = "",
        onPiece: (ByteBuffer) throws -> Void
    ) async throws {
        do {
            try await exchange(method, path, body: body, within: limit, onPiece: onPiece)
        } catch let failure as Unanswered {
            let reason =
                switch failure {
                case .silent:
                    "what listens at \(url) takes connections and has said nothing for \(TimeText.text(limit)): is it an "
                        + "admin port of Flux, and has the node's process been stopped?"
                case .closed: "the node closed the connection before its answer was complete"
                }
            throw CommandFailure(.noNode, hint.isEmpty ? reason : "\(reason) \(hint)")
        }
    }

    private func exchange(
        _ method: HTTPMethod, _ path: String, body: [UInt8], within limit: Duration,
        onPiece: (ByteBuffer) throws -> Void
    ) async throws {
        let host = url.host ?? "127.0.0.1"
        let port = url.port ?? 80
        let channel: NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
        do {
            channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connectTimeout(Self.connectTime)
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
        let watch = SilenceWatch(channel.channel, limit: TimeAmount(limit))
        defer { watch.end() }
        watch.restart()
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
            try await Self.read(inbound, watch, onPiece: onPiece)
        }
    }

    private static func read(
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>, _ watch: SilenceWatch,
        onPiece: (ByteBuffer) throws -> Void
    ) async throws {
        var status = HTTPResponseStatus.ok
        var refusal = ""
        var parts = inbound.makeAsyncIterator()
        // A connection that broke ends the answer as one that was closed does.
        while let part = try? await parts.next() {
            watch.restart()
            switch part {
            case .head(let head): status = head.status
            case .body(let piece) where status == .ok: try onPiece(piece)
            case .body(let piece): refusal += String(buffer: piece)
            case .end:
                guard status == .ok else { throw failure(status, refusal) }
                return
            }
        }
        throw watch.hasFired ? Unanswered.silent : .closed
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

/// Closes a connection over which nothing has come for a while: a process that was stopped keeps its connections open, and
/// whoever waits for its answer would wait for ever.
private final class SilenceWatch: Sendable {
    private struct State {
        var alarm: Scheduled<Void>?
        var hasFired = false
    }

    private let channel: any NIOCore.Channel
    private let limit: TimeAmount
    private let state = NIOLockedValueBox(State())

    init(_ channel: any NIOCore.Channel, limit: TimeAmount) {
        self.channel = channel
        self.limit = limit
    }

    /// Whether the connection was closed for its silence.
    var hasFired: Bool { state.withLockedValue(\.hasFired) }

    /// Begins to count anew.
    func restart() {
        let alarm = channel.eventLoop.scheduleTask(in: limit) { [self] in
            state.withLockedValue { $0.hasFired = true }
            channel.close(promise: nil)
        }
        replace(with: alarm)
    }

    /// Looks no more.
    func end() { replace(with: nil) }

    private func replace(with alarm: Scheduled<Void>?) {
        let former = state.withLockedValue { state in
            defer { state.alarm = alarm }
            return state.alarm
        }
        former?.cancel()
    }
}
