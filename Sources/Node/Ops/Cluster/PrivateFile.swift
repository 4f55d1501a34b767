import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A small file that only this user may read: keys.
///
/// It is replaced whole or not at all: after `write` has returned, the content survives a crash of the machine, and before
/// that the old content does.
struct PrivateFile: Sendable {
    /// The most that is read. Ours have a few KiB.
    private static let byteLimit = 1 << 20

    /// Where it is.
    let path: String

    /// Its content; nil when there is no such file. One that others may read is taken from them: `onExposed` hears of it.
    func read(onExposed: () -> Void = {}) throws(CommandFailure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("cannot be read")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("cannot be read") }
        if status.st_mode & 0o077 != 0 {
            guard fchmod(descriptor, 0o600) == 0 else {
                throw failure("may be read by others, and cannot be closed to them")
            }
            onExposed()
        }
        guard let data = try? file.read(upToCount: Self.byteLimit + 1) ?? Data() else {
            throw failure("cannot be read")
        }
        guard data.count <= Self.byteLimit else {
            throw CommandFailure(.configuration, "\(path): larger than 1 MiB, so it is not what it should be")
        }
        return Array(data)
    }

    /// Puts the content in the place of what was there.
    func write(_ bytes: [UInt8]) throws(CommandFailure) {
        // One process holds the directory, so that nobody else writes to this name.
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot be written") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: Data(bytes))
        } catch {
            unlink(draft)
            throw CommandFailure(.cannotCreate, "\(path): cannot be written: \(error.localizedDescription)")
        }
        guard fsync(descriptor) == 0, rename(draft, path) == 0 else {
            let failure = failure("cannot be written")
            unlink(draft)
            throw failure
        }
        try synchronizeDirectory()
    }

    /// Takes the file away. One that is not there is no error.
    func remove() {
        unlink(path)
    }

    private func synchronizeDirectory() throws(CommandFailure) {
        let directory = open(
            URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("its directory cannot be read") }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("its directory cannot be written") }
    }

    private func failure(_ what: String) -> CommandFailure {
        CommandFailure(.cannotCreate, "\(path): \(what): \(String(cString: strerror(errno)))")
    }
}
