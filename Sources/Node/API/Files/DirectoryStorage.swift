import Foundation
import NIOCore
import NIOPosix

/// Keeps files in a directory of the node's own file system.
///
/// A put writes a temporary file, brings it to the disk, renames it and brings the directory to the disk, so that an
/// object is either there whole or not there, also after a crash (POSIX rename is atomic).
public final class DirectoryStorage: ObjectStorage {
    private let root: String
    private let threads: NIOThreadPool
    /// Bytes that are read at once.
    private static let pieceBytes = 128 << 10

    /// Makes a storage in a directory, which is made if missing. What an earlier run left half written is removed.
    public init(root: String, threads: NIOThreadPool = .singleton) throws {
        self.root = root
        self.threads = threads
        let manager = FileManager.default
        try manager.createDirectory(
            atPath: Self.temporaryDirectory(root), withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        for name in try manager.contentsOfDirectory(atPath: Self.temporaryDirectory(root)) {
            try? manager.removeItem(atPath: Self.temporaryDirectory(root) + "/" + name)
        }
    }

    private static func temporaryDirectory(_ root: String) -> String { root + "/.writing" }

    private func path(of key: ObjectKey) -> String { "\(root)/\(key)" }

    public func put(
        _ content: UploadedContent, at key: ObjectKey, contentType: String
    ) async throws(StorageError) {
        let temporary = "\(Self.temporaryDirectory(root))/\(UUID().uuidString)"
        do {
            let file = try await threads.runIfActive { try PosixFile(creating: temporary) }
            do {
                var offset = 0
                while offset < content.size {
                    let piece = try await content.read(offset..<min(content.size, offset + Self.pieceBytes))
                    let start = offset
                    try await threads.runIfActive { try file.write(piece, at: start) }
                    offset += piece.readableBytes
                }
                try await threads.runIfActive { try self.settle(file, at: key) }
            } catch {
                file.remove()
                throw error
            }
        } catch let error as PosixError {
            throw error.code == ENOSPC || error.code == EDQUOT || error.code == EACCES
                ? .refused(error.description) : .unavailable(error.description)
        } catch {
            throw .unavailable(String(describing: error))
        }
    }

    /// Brings a written file to its place and both to the disk.
    private func settle(_ file: PosixFile, at key: ObjectKey) throws {
        try file.synchronize()
        var directory = root
        var made: [String] = []
        for segment in key.segments.dropLast() {
            let parent = directory
            directory += "/" + segment
            if mkdir(directory, 0o700) == 0 {
                made.append(parent)
            } else if errno != EEXIST {
                throw PosixError("mkdir \(directory)")
            }
        }
        guard rename(file.path, path(of: key)) == 0 else { throw PosixError("rename \(file.path)") }
        for directory in [directory] + made.reversed() { try PosixFile.synchronizeDirectory(directory) }
    }

    public func open(
        _ key: ObjectKey, range requested: RequestedRange?
    ) async throws(StorageError) -> OpenObject? {
        let path = path(of: key)
        let found: (file: PosixFile, size: Int)?
        do {
            found = try await threads.runIfActive {
                guard let file = try PosixFile(reading: path) else { return nil }
                return (file, try file.size())
            }
        } catch {
            throw .unavailable(String(describing: error))
        }
        guard let (file, size) = found else { return nil }
        var range = 0..<size
        if let requested {
            guard let part = requested.resolve(size: size) else { throw .unsatisfiable(size: size) }
            range = part
        }
        return OpenObject(
            size: size, range: range, reader: Reader(file: file, range: range, threads: threads))
    }

    public func delete(_ key: ObjectKey) async throws(StorageError) {
        let path = path(of: key)
        do {
            try await threads.runIfActive {
                if unlink(path) != 0, errno != ENOENT, errno != ENOTDIR { throw PosixError("unlink \(path)") }
            }
        } catch {
            throw .unavailable(String(describing: error))
        }
    }

    /// Reads a range of an open file.
    private actor Reader: ObjectReader {
        private let file: PosixFile
        private let threads: NIOThreadPool
        private var range: Range<Int>

        init(file: PosixFile, range: Range<Int>, threads: NIOThreadPool) {
            self.file = file
            self.range = range
            self.threads = threads
        }

        func next() async throws(StorageError) -> ByteBuffer? {
            guard !range.isEmpty else { return nil }
            let piece = range.lowerBound..<min(range.upperBound, range.lowerBound + DirectoryStorage.pieceBytes)
            range = piece.upperBound..<range.upperBound
            let bytes: ByteBuffer
            do {
                let file = file
                bytes = try await threads.runIfActive { try file.read(piece) }
            } catch {
                throw .unavailable(String(describing: error))
            }
            guard bytes.readableBytes == piece.count else { throw .unavailable("the file became shorter") }
            return bytes
        }
    }
}
