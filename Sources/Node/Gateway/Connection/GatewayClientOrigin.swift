/// What the upgrade request said about its sender; needed until the session is there.
struct GatewayClientOrigin: Sendable {
    /// The header `Origin`: which page opened the socket. Absent outside browsers.
    var webOrigin: String?
    /// The values of the headers `Cookie`.
    var cookies: [String]

    /// The access token of the cookie, for an IDENTIFY without one (protocol 10.1).
    ///
    /// Browsers send cookies with a WebSocket from any page, so the page must be ours.
    func accessToken(publicOrigin: String) -> String? {
        guard webOrigin == publicOrigin else { return nil }
        for pair in cookies.flatMap({ $0.split(separator: ";") }) {
            let pair = pair.drop { $0 == " " }
            guard pair.hasPrefix("flux_access=") else { continue }
            return String(pair.dropFirst("flux_access=".count))
        }
        return nil
    }
}

/// An accepted handshake.
struct GatewayUpgrade: Sendable {
    /// The value of `Sec-WebSocket-Accept`.
    var acceptKey: String
    var query: GatewayQuery
    var origin: GatewayClientOrigin
    /// TLS stands in front, so the socket must not be written to directly.
    var isSecure: Bool
}
