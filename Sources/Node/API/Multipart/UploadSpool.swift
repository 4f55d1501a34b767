import FluxCore
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Keeps uploads while they arrive: small ones in memory, larger ones in temporary files, so that no upload costs more than
/// `memoryBytes` of memory.
///
/// Bounded: at most `uploads` are open at once; one more is refused with 503 and `Retry-After`.
public final class UploadSpool: Sendable {
    /// What an upload keeps in memory before it moves to a file.
    public let memoryBytes: Int
    private let directory: String
    private let uploads: Int
    private let open = NIOLockedValueBox(0)
    let threads: NIOThreadPool

    /// Makes a spool in a directory, which is made if missing and emptied of what an earlier run left behind.
    public init(
        directory: String, memoryBytes: Int = 128 << 10, uploads: Int = 512, threads: NIOThreadPool = .singleton
    ) throws {
        self.directory = directory
        self.memoryBytes = memoryBytes
        self.uploads = uploads
        self.threads = threads
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name.hasPrefix("upload-") {
            try? FileManager.default.removeItem(atPath: directory + "/" + name)
        }
    }

    /// Begins an upload.
    func begin() throws(APIError) -> UploadWriter {
        let isAdmitted = open.withLockedValue { open in
            if open >= uploads { return false }
            open += 1
            return true
        }
        guard isAdmitted else { throw .serviceUnavailable }
        return UploadWriter(spool: self)
    }

    /// The name of a file that does not exist.
    fileprivate func newPath() -> String { "\(directory)/upload-\(UUID().uuidString)" }

    fileprivate func release() { open.withLockedValue { $0 -= 1 } }
}

/// The content of one upload, complete and unchanging. Its temporary file, if it has one, goes with the last reference.
public final class UploadedContent: Sendable {
    private enum Place: Sendable {
        case memory(ByteBuffer)
        case file(PosixFile)
    }

    /// Its length in bytes.
    public let size: Int
    private let place: Place
    private let spool: UploadSpool?

    /// Content that is in memory already.
    public init(_ bytes: ByteBuffer) {
        size = bytes.readableBytes
        place = .memory(bytes)
        spool = nil
    }

    fileprivate init(_ bytes: ByteBuffer, file: PosixFile?, size: Int, spool: UploadSpool) {
        self.size = size
        self.spool = spool
        place = file.map { .file($0) } ?? .memory(bytes)
    }

    deinit {
        if case .file(let file) = place { file.remove() }
        spool?.release()
    }

    /// The bytes of a range, which is cut to what there is.
    public func read(_ range: Range<Int>) async throws -> ByteBuffer {
        let range = range.clamped(to: 0..<size)
        switch place {
        case .memory(let bytes):
            return bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
        case .file(let file):
            let threads = spool?.threads ?? .singleton
            return try await threads.runIfActive { try file.read(range) }
        }
    }
}

/// Takes the bytes of one upload.
struct UploadWriter: ~Copyable {
    private let spool: UploadSpool
    private var pending = ByteBuffer()
    private var file: PosixFile?
    private var written = 0
    private var isFinished = false

    fileprivate init(spool: UploadSpool) { self.spool = spool }

    deinit {
        if isFinished { return }
        file?.remove()
        spool.release()
    }

    /// Adds bytes.
    mutating func append(_ bytes: ByteBuffer) async throws {
        var bytes = bytes
        pending.writeBuffer(&bytes)
        if pending.readableBytes > spool.memoryBytes { try await flush() }
    }

    /// The content of everything that was added. It takes over the writer's place in the spool.
    consuming func finish() async throws -> UploadedContent {
        if file != nil { try await flush() }
        let content = UploadedContent(
            pending, file: file, size: written + pending.readableBytes, spool: spool)
        isFinished = true
        return content
    }

    private mutating func flush() async throws {
        let target: PosixFile
        if let file {
            target = file
        } else {
            let path = spool.newPath()
            target = try await spool.threads.runIfActive { try PosixFile(creating: path) }
            file = target
        }
        let bytes = pending
        let offset = written
        pending = ByteBuffer()
        try await spool.threads.runIfActive { try target.write(bytes, at: offset) }
        written += bytes.readableBytes
    }
}
