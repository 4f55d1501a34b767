import Foundation
import NIOConcurrencyHelpers

/// Ports of the loopback that a process can be stopped and started on again.
///
/// They lie below those from which the system serves port 0 and outgoing connections. Otherwise a client that tries to
/// come back while nobody listens could be given the very port that it asks for, connect to itself, and keep it.
enum FreePort {
    private static let range = 20_000..<32_000
    /// Begins at a place that other test processes hardly begin at as well.
    private static let next = NIOLockedValueBox(range.lowerBound + Int(getpid()) * 61 % range.count)

    static func take() throws -> Int {
        for _ in range {
            let port = next.withLockedValue { next in
                defer { next = next + 1 < range.upperBound ? next + 1 : range.lowerBound }
                return next
            }
            if isFree(port) { return port }
        }
        throw HarnessError("no port is free")
    }

    private static func isFree(_ port: Int) -> Bool {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
