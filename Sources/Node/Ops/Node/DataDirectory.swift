import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The directory of everything that a node keeps on disk, held by one process at a time.
///
/// The hold is an advisory lock on `node.lock`, which the kernel lets go when the process dies, however it dies.
final class DataDirectory: Sendable {
    /// Where it is.
    let path: String
    private let lock: Int32

    /// Makes the directory where it is missing, and holds it until the process ends.
    init(_ path: String) throws(CommandFailure) {
        self.path = URL(fileURLWithPath: path).path
        do {
            try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(.cannotCreate, "data_dir \(path): cannot be made: \(error.localizedDescription)")
        }
        lock = open(self.path + "/node.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw CommandFailure(.cannotCreate, "data_dir \(path): not writable by this user")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw CommandFailure(.unavailable, "data_dir \(path): another node is running in it")
        }
    }

    /// A path inside.
    func file(_ name: String) -> String {
        path + "/" + name
    }

    /// A directory inside, made where it is missing.
    func directory(_ name: String) throws(CommandFailure) -> String {
        do {
            try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(.cannotCreate, "\(file(name)): cannot be made: \(error.localizedDescription)")
        }
        return file(name)
    }
}
