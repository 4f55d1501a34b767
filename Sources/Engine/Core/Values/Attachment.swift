/// A file of a message (protocol 6.5).
public struct Attachment: Sendable, Equatable {
    public var id: AttachmentID
    /// The last path segment of the name it was given; never empty.
    public var filename: String
    /// Bytes.
    public var size: Int64
    public var contentType: String?
    /// Pixels, of images and videos.
    public var width: Int?
    /// Pixels, of images and videos.
    public var height: Int?
    public var description: String?

    public init(
        id: AttachmentID, filename: String, size: Int64, contentType: String? = nil, width: Int? = nil,
        height: Int? = nil, description: String? = nil
    ) {
        self.id = id
        self.filename = filename
        self.size = size
        self.contentType = contentType
        self.width = width
        self.height = height
        self.description = description
    }

    /// Where the bytes are fetched: `BASE/attachments/{channel}/{attachment}/{filename}`, the name percent-encoded.
    public func url(base: String, channelID: ChannelID) -> String {
        "\(base)/attachments/\(channelID)/\(id)/\(PercentEncoding.encode(filename))"
    }

    /// Writes the attachment object.
    public func write(to writer: inout JSONWriter, base: String, channelID: ChannelID) {
        let address = url(base: base, channelID: channelID)
        writer.beginObject()
        writer.field("id", id)
        writer.field("filename", filename)
        writer.field("size", size)
        writer.field("url", address)
        writer.field("proxy_url", address)
        if let contentType { writer.field("content_type", contentType) }
        if let width { writer.field("width", width) }
        if let height { writer.field("height", height) }
        if let description { writer.field("description", description) }
        writer.endObject()
    }
}
