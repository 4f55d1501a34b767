/// The networks whose word about a client's address is believed: a pure reading of `X-Forwarded-For`.
///
/// Without any, the header is ignored: what anyone can send must not choose whose rate limit is used up.
public struct TrustedProxies: Sendable {
    /// One network, as `address/bits` or a single address.
    private struct Network: Sendable {
        let prefix: [UInt8]
        let bits: Int

        func contains(_ address: ClientAddress) -> Bool {
            guard address.bytes.count == prefix.count else { return false }
            let whole = bits / 8
            guard address.bytes[..<whole] == prefix[..<whole] else { return false }
            let rest = bits % 8
            return rest == 0 || (address.bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0
        }
    }

    private let networks: [Network]

    /// Believes nobody.
    public static let none = TrustedProxies(networks: [])

    private init(networks: [Network]) { self.networks = networks }

    /// Reads networks such as `10.0.0.0/8`, `fd00::/8` or `192.0.2.7`; nil if one of them is not understood.
    public init?(_ texts: [String]) {
        var networks: [Network] = []
        for text in texts {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let address = ClientAddress(parts[0]), !address.bytes.isEmpty else { return nil }
            let all = address.bytes.count * 8
            guard parts.count == 1 || Int(parts[1]).map((0...all).contains) == true else { return nil }
            networks.append(Network(prefix: address.bytes, bits: parts.count == 1 ? all : Int(parts[1]) ?? all))
        }
        self.networks = networks
    }

    /// The address that a request really came from.
    ///
    /// The header is read from its end, which is what the nearest proxy added: every trusted proxy is passed over, and the
    /// first other address is the client. What such an address itself claims is not believed, nor is anything before an entry
    /// that is no address.
    ///
    /// - Parameters:
    ///   - peer: the other end of the TCP connection.
    ///   - forwardedFor: the values of all `X-Forwarded-For` headers, in their order.
    public func client(of peer: ClientAddress, forwardedFor: [String]) -> ClientAddress {
        guard isTrusted(peer) else { return peer }
        var client = peer
        for entry in forwardedFor.flatMap({ $0.split(separator: ",") }).reversed() {
            guard let address = ClientAddress(forwarded: entry) else { break }
            client = address
            if !isTrusted(address) { break }
        }
        return client
    }

    private func isTrusted(_ address: ClientAddress) -> Bool { networks.contains { $0.contains(address) } }
}

extension ClientAddress {
    /// Reads one entry of `X-Forwarded-For`: `192.0.2.1`, `192.0.2.1:567`, `2001:db8::1`, `[2001:db8::1]` or
    /// `[2001:db8::1]:567`, with spaces around it.
    fileprivate init?(forwarded entry: Substring) {
        let text = entry.filter { $0 != " " && $0 != "\t" }
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            self.init(text[..<end].dropFirst())
        } else if text.filter({ $0 == ":" }).count == 1, let colon = text.firstIndex(of: ":") {
            self.init(text[..<colon])
        } else {
            self.init(text)
        }
    }
}
