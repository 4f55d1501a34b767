import FluxSecurity
import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix

/// Keeps files in an S3-compatible service.
///
/// Requests that fail to connect, break off or are answered 429, 500, 502, 503 or 504 are repeated up to three times with
/// growing, jittered pauses; every operation here may be repeated. Bodies stream in both directions. At most
/// `idleConnections` are kept for the next request, and none for longer than `idleSeconds`, because servers close idle
/// connections and a request on a closed one costs an attempt.
public final class S3Storage: ObjectStorage {
    private let configuration: S3Configuration
    private let signature: SignatureV4
    private let tls: TLSContext?
    private let group: any EventLoopGroup
    private let idle = NIOLockedValueBox<[(connection: ClientConnection, since: NIODeadline)]>([])
    private static let idleConnections = 16
    private static let idleSeconds = TimeAmount.seconds(4)
    private static let attempts = 4
    private static let pieceBytes = 128 << 10

    /// Makes a client; nothing is sent yet. Throws if the authorities are no certificates.
    public init(_ configuration: S3Configuration, group: any EventLoopGroup) throws {
        self.configuration = configuration
        signature = SignatureV4(credentials: configuration.credentials, region: configuration.region)
        self.group = group
        tls =
            configuration.isSecure
            ? try TLSContext(TLSConfiguration(role: .client(authoritiesPEM: configuration.authoritiesPEM))) : nil
    }

    public func put(
        _ content: UploadedContent, at key: ObjectKey, contentType: String
    ) async throws(StorageError) {
        let fields = [("content-length", String(content.size)), ("content-type", contentType)]
        let response = try await perform("PUT", key, fields: fields, content: content)
        try await response.discard()
        guard response.status == 200 || response.status == 201 || response.status == 204 else {
            throw refusal(response, "PUT", key)
        }
    }

    public func open(
        _ key: ObjectKey, range requested: RequestedRange?
    ) async throws(StorageError) -> OpenObject? {
        let fields = requested.map { [("range", $0.description)] } ?? []
        let response = try await perform("GET", key, fields: fields, content: nil)
        switch response.status {
        case 200:
            guard let size = response.length else { throw .unavailable("an answer without a length") }
            return OpenObject(size: size, range: 0..<size, reader: response)
        case 206:
            guard let (range, size) = Self.contentRange(response.headers.first(name: "content-range")) else {
                throw .unavailable("an answer without a range")
            }
            return OpenObject(size: size, range: range, reader: response)
        case 404:
            try await response.discard()
            // A missing bucket must not look like a missing file.
            if response.body.contains("NoSuchBucket") { throw refusal(response, "GET", key) }
            return nil
        case 416:
            try await response.discard()
            throw .unsatisfiable(size: response.actualSize ?? 0)
        default:
            try await response.discard()
            throw refusal(response, "GET", key)
        }
    }

    public func delete(_ key: ObjectKey) async throws(StorageError) {
        let response = try await perform("DELETE", key, fields: [], content: nil)
        try await response.discard()
        guard response.status / 100 == 2 || response.status == 404 else { throw refusal(response, "DELETE", key) }
    }

    private func refusal(_ response: S3Response, _ method: String, _ key: ObjectKey) -> StorageError {
        let text = "\(method) \(key): \(response.status) \(response.body.prefix(300))"
        return response.status >= 500 || response.status == 429 ? .unavailable(text) : .refused(text)
    }

    /// Sends a request, again where that may help, and returns the response with its body unread.
    private func perform(
        _ method: String, _ key: ObjectKey, fields: [(String, String)], content: UploadedContent?
    ) async throws(StorageError) -> S3Response {
        var attempt = 1
        while true {
            do {
                let response = try await send(method, key, fields: fields, content: content)
                guard [429, 500, 502, 503, 504].contains(response.status), attempt < Self.attempts else {
                    return response
                }
                response.abandon()
            } catch {
                if attempt == Self.attempts { throw .unavailable("\(method) \(key): \(error)") }
            }
            // 50, 100, 200 ms, each between half and whole: nodes that failed together do not come back together.
            let pause = 50.0 * Double(1 << (attempt - 1)) * Double.random(in: 0.5...1)
            do {
                try await Task.sleep(for: .milliseconds(pause))
            } catch {
                throw .unavailable("cancelled")
            }
            attempt += 1
        }
    }

    private func send(
        _ method: String, _ key: ObjectKey, fields: [(String, String)], content: UploadedContent?
    ) async throws -> S3Response {
        let path = configuration.path(of: key)
        let signed = signature.sign(
            SignatureV4.Request(
                method: method, path: path, headers: fields + [("host", configuration.hostField)],
                payloadHash: content == nil ? SignatureV4.emptyPayload : SignatureV4.unsignedPayload),
            at: Int(Date().timeIntervalSince1970))
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: method), uri: path, headers: HTTPHeaders(signed))
        let connection = try await takeConnection()
        try await connection.send(.head(head))
        if let content {
            var offset = 0
            while offset < content.size {
                let piece = try await content.read(offset..<min(content.size, offset + Self.pieceBytes))
                offset += piece.readableBytes
                try await connection.send(.body(.byteBuffer(piece)))
            }
        }
        try await connection.send(.end(nil))
        while true {
            // Informational heads come before the one that counts.
            guard case .head(let head) = try await connection.next() else {
                throw StorageError.unavailable("a body before its head")
            }
            if head.status.code >= 200 {
                return S3Response(head: head, connection: connection) { [weak self] in self?.keep($0) }
            }
        }
    }

    private func takeConnection() async throws -> ClientConnection {
        let kept = idle.withLockedValue { idle in
            let oldest = NIODeadline.now() - Self.idleSeconds
            idle.removeAll { !$0.connection.isOpen || $0.since < oldest }
            return idle.popLast()?.connection
        }
        if let kept { return kept }
        return try await ClientConnection.open(
            host: configuration.serverName, port: configuration.port, tls: tls, group: group)
    }

    private func keep(_ connection: ClientConnection) {
        idle.withLockedValue { if $0.count < Self.idleConnections { $0.append((connection, .now())) } }
    }

    /// Reads `bytes 0-9/100`.
    private static func contentRange(_ field: String?) -> (range: Range<Int>, size: Int)? {
        guard let field, field.hasPrefix("bytes ") else { return nil }
        let parts = field.dropFirst("bytes ".count).split(whereSeparator: { $0 == "-" || $0 == "/" })
        guard parts.count == 3, let first = Int(parts[0]), let last = Int(parts[1]), let size = Int(parts[2]),
            first >= 0, first <= last, last < size
        else { return nil }
        return (first..<last + 1, size)
    }
}
