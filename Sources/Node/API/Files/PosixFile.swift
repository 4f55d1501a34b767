import Foundation
import NIOCore

/// A failed system call.
struct PosixError: Error, CustomStringConvertible {
    let call: String
    let code: Int32

    /// The failure that `errno` tells of.
    init(_ call: String) {
        self.call = call
        code = errno
    }

    var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// One open regular file. Every method blocks and belongs on a thread that may.
final class PosixFile: Sendable {
    /// Where it was when it was opened.
    let path: String
    private let descriptor: CInt

    /// Makes a new file that only this user may read; fails if one is there.
    init(creating path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw PosixError("open \(path)") }
    }

    /// Opens a file for reading; nil if there is none.
    init?(reading path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw PosixError("open \(path)")
        }
    }

    deinit { close(descriptor) }

    /// Its length in bytes.
    func size() throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw PosixError("fstat \(path)") }
        return Int(status.st_size)
    }

    /// Writes all bytes at an offset.
    func write(_ bytes: ByteBuffer, at offset: Int) throws {
        try bytes.withUnsafeReadableBytes { raw in
            var done = 0
            while done < raw.count {
                // In bounds: `done` is below the count, so the rest is not empty and has a base address.
                let count = pwrite(
                    descriptor, UnsafeRawBufferPointer(rebasing: raw[done...]).baseAddress, raw.count - done,
                    off_t(offset + done))
                if count < 0 {
                    if errno == EINTR { continue }
                    throw PosixError("write \(path)")
                }
                done += count
            }
        }
    }

    /// The bytes of a range, fewer if the file ends before.
    func read(_ range: Range<Int>) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: range.count) { raw in
            var done = 0
            while done < range.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: raw[done..<range.count])
                let count = pread(descriptor, rest.baseAddress, rest.count, off_t(range.lowerBound + done))
                if count < 0 {
                    if errno == EINTR { continue }
                    throw PosixError("read \(path)")
                }
                if count == 0 { break }
                done += count
            }
            return done
        }
        return buffer
    }

    /// Returns when the content is on the disk.
    func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw PosixError("fsync \(path)") }
    }

    /// Takes the file out of its directory. One that is not there is no error.
    func remove() { unlink(path) }

    /// Returns when a directory's entries are on the disk.
    static func synchronizeDirectory(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw PosixError("open \(path)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw PosixError("fsync \(path)") }
    }
}
