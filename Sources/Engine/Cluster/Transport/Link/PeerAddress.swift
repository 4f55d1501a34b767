import NIOCore

/// Where a node's cluster port can be reached.
public struct PeerAddress: Hashable, Sendable, WireCodable, CustomStringConvertible {
    /// A host name or an address, IPv6 without brackets.
    public var host: String
    /// The port.
    public var port: UInt16

    /// An address from its parts.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port`, an IPv6 address in brackets; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard isBracketed == host.contains(":") else { return nil }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }

    /// Host and port.
    public func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.string(host)
            fields.unsigned(port)
        }
    }

    /// Reads host and port; refuses a host that no resolver would take.
    public init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            PeerAddress(host: try fields.string(), port: try fields.unsigned())
        }
        guard !host.isEmpty, host.utf8.count <= 253, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .malformed("host")
        }
    }

    /// `host:port`, an IPv6 address in brackets.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension PeerAddress {
    /// Whether it can only be this machine.
    var isLoopback: Bool {
        host == "localhost" || (try? SocketAddress(ipAddress: host, port: 0))?.isLoopback == true
    }
}

extension SocketAddress {
    /// Whether it is this machine's own: 127.0.0.0/8 or ::1.
    var isLoopback: Bool {
        switch self {
        case .v4(let address):
            return UInt32(bigEndian: address.address.sin_addr.s_addr) >> 24 == 127
        case .v6(let address):
            return withUnsafeBytes(of: address.address.sin6_addr) {
                $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1
            }
        case .unixDomainSocket:
            return true
        }
    }
}
