import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// A response whose body is still to be read. After the last piece the connection goes back to its owner; if it is left
/// before, the connection is closed.
final class S3Response: ObjectReader {
    let status: Int
    let headers: HTTPHeaders
    private let connection: NIOLockedValueBox<ClientConnection?>
    private let keep: @Sendable (ClientConnection) -> Void
    private let text = NIOLockedValueBox("")

    init(head: HTTPResponseHead, connection: ClientConnection, keep: @escaping @Sendable (ClientConnection) -> Void) {
        status = Int(head.status.code)
        headers = head.headers
        self.connection = NIOLockedValueBox(connection)
        if head.isKeepAlive {
            self.keep = keep
        } else {
            self.keep = { connection in connection.close() }
        }
    }

    /// Bytes of the body, where the head says so.
    var length: Int? { headers.first(name: "content-length").flatMap(Int.init) }

    /// The first bytes of a body that was discarded, for error messages.
    var body: String { text.withLockedValue { $0 } }

    /// The size of the object, from a discarded answer that refuses a range: a field has it (RFC 9110, 15.5.17), or the
    /// body, as Amazon does it.
    var actualSize: Int? {
        if let field = headers.first(name: "content-range"),
            let size = field.split(separator: "/").last.flatMap({ Int($0) })
        {
            return size
        }
        let body = body
        guard let tag = body.firstRange(of: "<ActualObjectSize>") else { return nil }
        return Int(body[tag.upperBound...].prefix { $0.isNumber })
    }

    func next() async throws(StorageError) -> ByteBuffer? {
        guard let connection = connection.withLockedValue({ $0 }) else { return nil }
        do {
            switch try await connection.next() {
            case .body(let bytes):
                return bytes
            case .end:
                self.connection.withLockedValue { $0 = nil }
                keep(connection)
                return nil
            case .head:
                throw StorageError.unavailable("a head within a body")
            }
        } catch {
            abandon()
            throw .unavailable(String(describing: error))
        }
    }

    /// Reads the body to its end so that the connection can be used again, and keeps its beginning as `body`.
    func discard() async throws(StorageError) {
        var rest = 4_096
        while let piece = try await next() {
            let part = String(
                buffer: piece.getSlice(at: piece.readerIndex, length: min(rest, piece.readableBytes)) ?? piece)
            rest -= min(rest, piece.readableBytes)
            text.withLockedValue { $0 += part }
        }
    }

    /// Closes the connection instead of reading on.
    func abandon() {
        connection.withLockedValue { connection in
            connection?.close()
            connection = nil
        }
    }

    deinit { abandon() }
}
