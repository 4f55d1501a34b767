import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Tells the service manager that started the process how far it is: `sd_notify(3)`, one datagram to the socket that
/// `NOTIFY_SOCKET` names. Without one, or when nobody reads it, nothing happens: a node does not depend on being watched.
struct ServiceManager: Sendable {
    /// What there is to tell.
    enum State: String {
        /// The node serves.
        case ready = "READY=1"
        /// It has begun to stop.
        case stopping = "STOPPING=1"
    }

    /// A path, or `@` and a name in Linux's abstract namespace.
    let socketName: String?

    init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        socketName = environment["NOTIFY_SOCKET"]
    }

    /// Tells it. Never waits.
    func tell(_ state: State) {
        guard var name = socketName.map({ Array($0.utf8) }), let first = name.first else { return }
        guard first == UInt8(ascii: "/") || first == UInt8(ascii: "@") else { return }
        if first == UInt8(ascii: "@") { name[0] = 0 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // One byte less than there is room for: a path ends with a zero.
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        #if canImport(Glibc)
            let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #else
            let kind = SOCK_DGRAM
        #endif
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map { $0 + name.count } ?? 0)
        let text = Array(state.rawValue.utf8)
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = sendto(descriptor, text, text.count, Int32(MSG_DONTWAIT), generic, length)
            }
        }
    }
}
