import FluxRealtime

/// What a client asks for in the URL of its upgrade (protocol 7.1 and 10.4): `?v=10&encoding=json&compress=…&batch=1`.
///
/// A wrong value does not refuse the upgrade: the connection is opened and closed with a code that libraries
/// understand, because all they would see of an HTTP error is "connection failed", which they retry for ever.
struct GatewayQuery: Equatable, Sendable {
    enum Compression: Equatable, Sendable {
        case none
        /// One zlib stream for the whole connection (protocol 7.2).
        case zlibStream
    }

    var compression = Compression.none
    var isBatched = false
    /// Set when the connection has to be closed at once.
    var refusal: GatewayCloseCode?

    /// - Parameter uri: the request target, for example `/?v=10&encoding=json`. The first of two equal keys counts.
    init(uri: String) {
        guard let mark = uri.utf8.firstIndex(of: UInt8(ascii: "?")) else { return }
        var seen: Set<Substring> = []
        for pair in uri[uri.index(after: mark)...].split(separator: "&") {
            let key = pair.prefix { $0 != "=" }
            let value = pair.dropFirst(key.count + 1)
            guard seen.insert(key).inserted else { continue }
            apply(key: key, value: value)
        }
    }

    private mutating func apply(key: Substring, value: Substring) {
        switch key {
        case "v":
            if value != "10", value != "9" { refusal = .invalidVersion }
        case "encoding":
            if value != "json" { refusal = refusal ?? .undecodable }
        case "compress":
            // Anything else is served uncompressed. hikari asks only for what this server grants unless its Python has
            // a zstd module, and a close code would keep the other libraries from working with plain text.
            if value == "zlib-stream" { compression = .zlibStream }
        case "batch":
            isBatched = value == "1"
        default:
            break
        }
    }
}
