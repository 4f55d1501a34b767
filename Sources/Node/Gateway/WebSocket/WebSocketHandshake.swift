import FluxSecurity
import NIOHTTP1

/// The server's side of the opening handshake (RFC 6455, section 4.2), as a pure reading of a request head.
enum WebSocketHandshake: Equatable {
    /// An ordinary request.
    case notAsked
    /// To be answered with 101 and this value of `Sec-WebSocket-Accept`.
    case accept(key: String)
    /// To be answered with an error: 400, or 426 for another version of the protocol.
    case refuse(status: Int)

    /// The version of the protocol, the only one there is.
    static let version = "13"

    private static let acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// - Parameter head: any request. Only GET on `/` and `/gateway` can ask for an upgrade (protocol 2).
    init(_ head: HTTPRequestHead) {
        let path = head.uri.prefix { $0 != "?" }
        guard path == "/" || path == "/gateway", Self.lists(head.headers, "upgrade", "websocket") else {
            self = .notAsked
            return
        }
        guard head.method == .GET, head.version == .http1_1, Self.lists(head.headers, "connection", "upgrade") else {
            self = .refuse(status: 400)
            return
        }
        guard head.headers["sec-websocket-version"] == [Self.version] else {
            self = .refuse(status: 426)
            return
        }
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, Self.isNonce(keys[0]) else {
            self = .refuse(status: 400)
            return
        }
        self = .accept(key: Self.acceptKey(for: keys[0]))
    }

    /// The proof that the server has read the handshake: base64 of the SHA-1 of the key and a fixed text (1.3).
    static func acceptKey(for key: String) -> String {
        // 20 bytes are 27 characters of base64 and one of padding.
        let text = Base64URL.encode(Digest.sha1((key + acceptSuffix).utf8)) + "="
        return String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    }

    /// Whether a header that is a list holds `token`, in any case.
    private static func lists(_ headers: HTTPHeaders, _ name: String, _ token: String) -> Bool {
        headers[canonicalForm: name].contains { $0.lowercased() == token }
    }

    /// Whether a key is the base64 of 16 bytes, as a client must send it.
    private static func isNonce(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        guard bytes.count == 24, bytes[22] == UInt8(ascii: "="), bytes[23] == UInt8(ascii: "=") else { return false }
        return bytes[..<22].allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default:
                false
            }
        }
    }
}
