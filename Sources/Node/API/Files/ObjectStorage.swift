import NIOCore

/// Where files are kept: a directory or an S3-compatible service.
///
/// Objects never change: a key is written once, and written again only with the same bytes. A put that has returned
/// survives a crash of the node.
public protocol ObjectStorage: Sendable {
    /// Keeps content under a key.
    func put(_ content: UploadedContent, at key: ObjectKey, contentType: String) async throws(StorageError)

    /// Opens an object for reading, from `range` or whole; nil if there is none. Throws `unsatisfiable` for a range that
    /// lies outside.
    func open(_ key: ObjectKey, range: RequestedRange?) async throws(StorageError) -> OpenObject?

    /// Forgets an object. One that is not there is no error.
    func delete(_ key: ObjectKey) async throws(StorageError)
}

/// Why a storage could not do what it was asked.
public enum StorageError: Error, Sendable, Hashable {
    /// It does not answer, or failed; it may work later.
    case unavailable(String)
    /// It refused: wrong credentials, no such bucket, no space.
    case refused(String)
    /// The range lies outside of the object, which has so many bytes.
    case unsatisfiable(size: Int)
}

/// The name of an object: segments of lower-case letters, digits, `-` and `_`, so that it is a path in every storage and
/// needs no escaping in any.
public struct ObjectKey: Hashable, Sendable, CustomStringConvertible {
    /// The segments, none of them empty.
    public let segments: [String]

    /// Makes a key; nil if a segment is empty or has a byte that none may have.
    public init?(_ segments: [String]) {
        let isValid = segments.allSatisfy { segment in
            !segment.isEmpty
                && segment.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
        guard isValid, !segments.isEmpty else { return nil }
        self.segments = segments
    }

    /// The segments with `/` between them.
    public var description: String { segments.joined(separator: "/") }
}

/// An object that is being read.
public struct OpenObject: Sendable {
    /// Bytes of the whole object.
    public let size: Int
    /// The bytes that the reader gives.
    public let range: Range<Int>
    /// Gives them.
    public let reader: any ObjectReader

    /// Makes an open object.
    public init(size: Int, range: Range<Int>, reader: any ObjectReader) {
        self.size = size
        self.range = range
        self.reader = reader
    }
}

/// Gives the bytes of an object piece by piece, as fast as they are asked for. For one task at a time.
public protocol ObjectReader: Sendable {
    /// The next piece, nil after the last one.
    func next() async throws(StorageError) -> ByteBuffer?
}
