import HTTPTypes

/// The networks whose word about a client's address is believed.
///
/// Without any, `X-Forwarded-For` is ignored: a header that anyone can send must not choose whose rate limit is used up.
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

    /// The address a request really came from: walks `X-Forwarded-For` from its end, past every trusted proxy, and
    /// returns the first address that is not one. What such an address itself claims is not believed.
    public func client(of peer: ClientAddress, head: HTTPRequest) -> ClientAddress {
        guard !networks.isEmpty, isTrusted(peer) else { return peer }
        let hops = head.headerFields[values: .forwardedFor].flatMap { $0.split(separator: ",") }
        var client = peer
        for hop in hops.reversed() {
            guard let address = ClientAddress(hop.filter { $0 != " " && $0 != "\t" }) else { break }
            client = address
            if !isTrusted(address) { break }
        }
        return client
    }

    private func isTrusted(_ address: ClientAddress) -> Bool { networks.contains { $0.contains(address) } }
}
