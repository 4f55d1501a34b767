import NIOCore

/// Who a request comes from, when proxies stand in front: a pure reading of `X-Forwarded-For`.
///
/// Only what a trusted proxy wrote is believed. The header is read from its end, which is what the nearest proxy
/// added: each address that is itself a trusted proxy is passed over, and the first other one is the client. A header
/// from a peer that is no trusted proxy is ignored, so nobody can choose the address that rate limits are counted on.
public struct TrustedProxies: Sendable, Equatable {
    /// A range of addresses, written `10.0.0.0/8`, `::1` or `fd00::/8`.
    public struct Network: Sendable, Hashable {
        private let prefix: [UInt8]
        private let bits: Int

        /// - Returns: nil when it is not an address, or has a prefix length that its family does not allow.
        public init?(_ text: String) {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = parts.first, let bytes = TrustedProxies.bytes(of: String(first)) else { return nil }
            var bits = bytes.count * 8
            if parts.count == 2 {
                guard let length = Int(parts[1]), (0...bits).contains(length) else { return nil }
                bits = length
            }
            prefix = bytes
            self.bits = bits
        }

        fileprivate func contains(_ address: [UInt8]) -> Bool {
            guard address.count == prefix.count else { return false }
            let whole = bits / 8
            guard address[..<whole] == prefix[..<whole] else { return false }
            guard bits % 8 != 0 else { return true }
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> (bits % 8))
            return address[whole] & mask == prefix[whole] & mask
        }
    }

    private let networks: [Network]

    /// - Parameter networks: the proxies; empty: every peer is a client.
    public init(_ networks: [Network]) {
        self.networks = networks
    }

    /// The client's address.
    ///
    /// - Parameters:
    ///   - peer: the other end of the TCP connection, as numbers without port.
    ///   - forwardedFor: the values of all `X-Forwarded-For` headers, in their order.
    /// - Returns: an address as text without port: one from the header, or `peer`.
    public func client(peer: String, forwardedFor: [String]) -> String {
        guard isTrusted(peer) else { return peer }
        var client = peer
        for entry in forwardedFor.joined(separator: ",").split(separator: ",").reversed() {
            guard let address = Self.address(in: entry) else { return client }
            client = address
            guard isTrusted(address) else { return client }
        }
        return client
    }

    private func isTrusted(_ address: String) -> Bool {
        guard !networks.isEmpty, let bytes = Self.bytes(of: address) else { return false }
        return networks.contains { $0.contains(bytes) }
    }

    /// The address of one entry: `1.2.3.4`, `1.2.3.4:567`, `::1`, `[::1]` or `[::1]:567`.
    private static func address(in entry: Substring) -> String? {
        var text = String(entry.drop { $0 == " " || $0 == "\t" })
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { return nil }
            text = String(text[text.index(after: text.startIndex)..<close])
        } else if text.filter({ $0 == ":" }).count == 1, let colon = text.firstIndex(of: ":") {
            text = String(text[..<colon])
        }
        return bytes(of: text) == nil ? nil : text
    }

    /// The 4 or 16 bytes of an address; an IPv4 address mapped into IPv6 counts as the IPv4 address it is.
    private static func bytes(of text: String) -> [UInt8]? {
        guard let address = try? SocketAddress(ipAddress: text, port: 0) else { return nil }
        switch address {
        case .v4(let address):
            return withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
        case .v6(let address):
            let bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            return isMapped ? Array(bytes[12...]) : bytes
        case .unixDomainSocket:
            return nil
        }
    }
}
