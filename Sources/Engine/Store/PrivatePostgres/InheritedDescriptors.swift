import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps what this process has open from the programs that it starts.
///
/// NIO opens sockets without `FD_CLOEXEC`. A private Postgres that inherited them would outlive a killed node with its
/// ports, so that the next one could not listen, and with its clients' connections, so that they would not notice.
enum InheritedDescriptors {
    /// Adds to `actions` that everything but the standard descriptors is closed.
    static func close(in actions: inout posix_spawn_file_actions_t) {
        // Since glibc 2.34, but not in what Swift imports of it. It closes what is opened until the very exec, too.
        if let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") {
            // Exactly the C declaration of <spawn.h>.
            let addCloseFrom = unsafeBitCast(symbol, to: AddCloseFrom.self)
            if addCloseFrom(&actions, 3) == 0 { return }
        }
        markAll()
    }

    private typealias AddCloseFrom =
        @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

    /// The next best: everything that is open now is closed at the exec. Nothing here is meant to be inherited.
    private static func markAll() {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in open.compactMap({ Int32($0) }) where descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }
}
