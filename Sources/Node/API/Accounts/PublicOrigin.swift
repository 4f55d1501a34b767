import FluxCore
import HTTPTypes

/// The origin that our own pages come from, and the rule by which others may not use our cookies (protocol 10.1).
public struct PublicOrigin: Sendable, Equatable {
    /// As browsers write it in `Origin` (RFC 6454): scheme, host, and the port where it is not the scheme's own; lower case.
    public let text: String

    /// Whether pages are served over TLS, so that cookies must not travel without.
    public let isSecure: Bool

    /// The origin of a public URL, whose path is left out: `https://Chat.Example:443/x` is `https://chat.example`.
    public init(url: String) {
        var rest = url.lowercased()[...]
        isSecure = rest.hasPrefix("https://")
        let scheme = isSecure ? "https://" : "http://"
        if let start = rest.range(of: "://") { rest = rest[start.upperBound...] }
        var authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let ownPort = isSecure ? ":443" : ":80"
        if authority.hasSuffix(ownPort) { authority = authority.dropLast(ownPort.count) }
        text = scheme + authority
    }

    /// Whether a write with these fields may be authenticated by cookie: its `Origin` is ours, or it has none and the
    /// browser does not call it cross-site.
    public func allowsWrite(_ fields: HTTPFields) -> Bool {
        if let origin = fields[.origin] { return origin.lowercased() == text }
        return fields[.secFetchSite]?.lowercased() != "cross-site"
    }
}

extension HTTPField.Name {
    // The spelling is a constant and a valid token, so the fallback is never taken; it avoids a force unwrap.
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .origin
}
