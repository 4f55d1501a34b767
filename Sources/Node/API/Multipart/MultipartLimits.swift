/// The most that one multipart request may hold. Whatever a client sends, a parser keeps no more than this.
public struct MultipartLimits: Sendable {
    /// Parts of any kind.
    public var parts: Int
    /// Files among them.
    public var files: Int
    /// Bytes of one part's header.
    public var headerBytes: Int
    /// Bytes of a part that is no file.
    public var fieldBytes: Int
    /// Bytes of one file.
    public var fileBytes: Int
    /// Bytes of the whole body.
    public var totalBytes: Int

    /// Makes limits; the defaults are those of protocol 5.5, 10 files of 25 MiB.
    public init(
        parts: Int = 32, files: Int = 10, headerBytes: Int = 8 << 10, fieldBytes: Int = 1 << 20,
        fileBytes: Int = 25 << 20, totalBytes: Int? = nil
    ) {
        self.parts = parts
        self.files = files
        self.headerBytes = headerBytes
        self.fieldBytes = fieldBytes
        self.fileBytes = fileBytes
        self.totalBytes = totalBytes ?? files * fileBytes + fieldBytes + parts * (headerBytes + 256)
    }
}
