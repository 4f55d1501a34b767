#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A range of IP addresses in CIDR notation (RFC 4632, RFC 4291): `10.0.0.0/8`, `::1`.
public struct AddressRange: Sendable, Hashable, CustomStringConvertible, LosslessStringConvertible {
    /// The address in network order, 4 or 16 bytes.
    private let network: [UInt8]
    /// Leading bits that count.
    private let prefixLength: Int
    /// As it was written.
    public let description: String

    /// Reads an address with or without a prefix length; nil for anything else.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first, let bytes = Self.bytes(of: String(address)) else { return nil }
        var length = bytes.count * 8
        if parts.count == 2 {
            guard let given = UInt8(parts[1]), Int(given) <= length else { return nil }
            length = Int(given)
        }
        network = bytes
        prefixLength = length
        self.description = description
    }

    /// Whether a textual IP address lies in the range. IPv4 addresses mapped into IPv6 count as IPv4.
    public func contains(_ address: String) -> Bool {
        guard var bytes = Self.bytes(of: address) else { return false }
        if bytes.count == 16, network.count == 4, bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] {
            bytes.removeFirst(12)
        }
        guard bytes.count == network.count else { return false }
        for bit in stride(from: 0, to: prefixLength, by: 8) {
            let mask = UInt8.max << UInt8(max(0, 8 - (prefixLength - bit)))
            guard (bytes[bit / 8] ^ network[bit / 8]) & mask == 0 else { return false }
        }
        return true
    }

    private static func bytes(of address: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 {
            return withUnsafeBytes(of: &four) { Array($0) }
        }
        var sixteen = in6_addr()
        if inet_pton(AF_INET6, address, &sixteen) == 1 {
            return withUnsafeBytes(of: &sixteen) { Array($0) }
        }
        return nil
    }
}
