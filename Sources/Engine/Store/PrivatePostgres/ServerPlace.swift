import Foundation

/// Where a private server keeps its files.
struct ServerPlace: Sendable, Equatable {
    /// The directory that holds everything below; of the server's user, mode 0700.
    var root: String
    /// Whether that is not below the node's data directory.
    let isElsewhere: Bool
    /// Postgres's own data directory.
    var data: String { root + "/data" }
    var log: String { root + "/postgres.log" }
    /// The password of connections over TCP, mode 0600.
    var password: String { root + "/password" }
    /// The directory of the Unix socket, mode 0700.
    var sockets: String

    /// The most bytes of a Unix socket's path: 108 in `sockaddr_un`, one of them zero.
    static let longestSocketPath = 107

    /// Below `directory`, the node's data directory. When the server's user cannot get there (a data directory in root's
    /// home, say) or the path is too long for a socket, a place is taken that follows from the path, so that the next
    /// start finds it again.
    init(below directory: String, isReachable: (String) -> Bool) {
        let wanted = directory + "/postgres"
        let name = ServerPlace.digest(of: wanted)
        isElsewhere = !isReachable(directory)
        root = isElsewhere ? "/var/lib/flux/postgres-\(name)" : wanted
        let inside = root + "/run"
        sockets =
            (inside + "/.s.PGSQL.65535").utf8.count <= ServerPlace.longestSocketPath ? inside : "/tmp/flux-\(name)"
    }

    /// FNV-1a, 64 bits: stable over runs, which Swift's own hashing is not.
    private static func digest(of path: String) -> String {
        let hash = path.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        return String(hash, radix: 36)
    }
}
