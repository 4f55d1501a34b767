import NIOCore

/// The network address a request came from.
///
/// An IPv4 address that arrives mapped into IPv6 (`::ffff:192.0.2.1`, RFC 4291 2.5.5.2) is the IPv4 address, so that one
/// client has one address whichever way the listening socket was bound.
public struct ClientAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 bytes of IPv4 or 16 of IPv6 in network order; empty for a socket without addresses (a Unix socket).
    public let bytes: [UInt8]

    /// Reads a textual IPv4 or IPv6 address without port, brackets or zone; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard let address = try? SocketAddress(ipAddress: String(text), port: 0) else { return nil }
        self.init(address)
    }

    /// The address of a connection's other end. No address (nil, or a Unix socket) counts as this machine.
    public init(_ address: SocketAddress?) {
        switch address {
        case .v4(let v4):
            bytes = withUnsafeBytes(of: v4.address.sin_addr) { Array($0) }
        case .v6(let v6):
            let raw = withUnsafeBytes(of: v6.address.sin6_addr) { Array($0) }
            bytes = raw.starts(with: Self.mappedPrefix) ? Array(raw[12...]) : raw
        case .unixDomainSocket, nil:
            bytes = []
        }
    }

    private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

    /// Whether the address is this machine's own: 127.0.0.0/8, ::1, or a Unix socket.
    public var isLoopback: Bool {
        switch bytes.count {
        case 4: bytes[0] == 127
        case 16: bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
        default: true
        }
    }

    /// What limits by address count on: the address, or the /64 of an IPv6 address, because one customer has a whole /64.
    public var limitingPrefix: [UInt8] { bytes.count == 16 ? Array(bytes[..<8]) : bytes }

    /// The usual text form; `unix` for a socket without addresses. IPv6 is written in full groups, not shortened.
    public var description: String {
        switch bytes.count {
        case 4: bytes.map(String.init).joined(separator: ".")
        case 16:
            stride(from: 0, to: 16, by: 2)
                .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
                .joined(separator: ":")
        default: "unix"
        }
    }
}
