#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// As whom the private server runs: Postgres refuses to run as root.
struct ServerUser: Sendable, Equatable {
    var name: String
    var userID: uid_t
    var groupID: gid_t
    /// Whether that is another user than ours, so that we have to switch.
    var isForeign: Bool

    /// Ourselves, or, as root, the user `postgres` that the server's package made, or else `nobody`.
    static func current() throws(StoreError) -> ServerUser {
        guard geteuid() == 0 else {
            return ServerUser(name: "", userID: geteuid(), groupID: getegid(), isForeign: false)
        }
        for name in ["postgres", "nobody"] {
            if let user = find(name) { return user }
        }
        throw .cannotStart("Postgres does not run as root and there is neither a user postgres nor a user nobody")
    }

    private static func find(_ name: String) -> ServerUser? {
        var entry = passwd()
        var buffer = [CChar](repeating: 0, count: 16384)
        var found: UnsafeMutablePointer<passwd>?
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil, entry.pw_uid != 0 else {
            return nil
        }
        return ServerUser(name: name, userID: entry.pw_uid, groupID: entry.pw_gid, isForeign: true)
    }

    /// `executable` with `arguments`, to be run as this user. Switching is left to `setpriv`, which does it after the
    /// exec, where no thread of ours runs any more; our working directory may be closed to this user.
    func command(_ executable: String, _ arguments: [String]) -> Command {
        guard isForeign else { return Command(executable, arguments) }
        return Command(
            "/usr/bin/env",
            [
                "--chdir=/", "/usr/bin/setpriv", "--reuid=\(userID)", "--regid=\(groupID)", "--clear-groups", "--",
                executable,
            ] + arguments)
    }

    /// Gives a file or directory to this user.
    func own(_ path: String) throws(StoreError) {
        guard isForeign else { return }
        guard chown(path, userID, groupID) == 0 else {
            throw .cannotStart("\(path) cannot be given to \(name): \(String(cString: strerror(errno)))")
        }
    }

    /// Whether this user can enter `path`, which exists.
    func canEnter(_ path: String) -> Bool {
        guard isForeign else { return access(path, X_OK) == 0 }
        guard let outcome = try? command("/usr/bin/test", ["-x", path]).run() else { return false }
        return outcome.succeeded
    }
}
