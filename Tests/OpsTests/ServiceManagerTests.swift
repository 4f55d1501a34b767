import Foundation
import Testing

@testable import FluxOps

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("The service manager")
struct ServiceManagerTests {
    @Test("Is told over its socket, by path or by abstract name")
    func told() throws {
        for isAbstract in [false, true] {
            let name = NSTemporaryDirectory() + "/flux-notify-\(UUID())"
            let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            try #require(descriptor >= 0)
            defer {
                close(descriptor)
                unlink(name)
            }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let bytes = (isAbstract ? [0] : []) + Array(name.utf8)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
            let bound = withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            }
            try #require(bound == 0)
            let manager = ServiceManager(environment: ["NOTIFY_SOCKET": (isAbstract ? "@" : "") + name])
            for state in [ServiceManager.State.ready, .stopping] {
                manager.tell(state)
                var buffer = [UInt8](repeating: 0, count: 64)
                let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == state.rawValue)
            }
        }
    }

    @Test("Whatever the variable holds, nothing goes wrong")
    func strangeNames() {
        for name in [nil, "", "@", "relative", "/nobody/listens/here", "/" + String(repeating: "x", count: 500)] {
            ServiceManager(environment: name.map { ["NOTIFY_SOCKET": $0] } ?? [:]).tell(.ready)
        }
    }
}
