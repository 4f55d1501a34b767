import FluxCore
import NIOCore

/// Takes the images of profiles, guilds and roles out of JSON bodies and keeps them.
public struct ImageStore: Sendable {
    /// The most bytes of one image.
    public static let limit = 10 << 20
    /// The most that a body with images in it may have: two of them in base64, and room for the rest.
    static let bodyLimit = 2 * (limit / 3 * 4) + (1 << 20)
    /// The most pixels in either direction.
    private static let sideLimit = 8_192

    private let storage: any ObjectStorage

    /// Makes a store.
    public init(storage: any ObjectStorage) { self.storage = storage }

    /// Keeps the images that stand as data URIs under the given keys of a body, and puts their hashes in their place, so
    /// that whoever gets the body next knows images by hash alone.
    ///
    /// Absent keys and null stay. 400/50035 for text that is no data URI (a hash that a client sends by itself among
    /// them: it must not choose one) and for images that are none, too large, or of another format.
    public func replaceImages(in body: JSON, keys: [String]) async throws -> JSON {
        guard case .object(var object) = body else { return body }
        for key in keys {
            guard let value = object[key], !value.isNull else { continue }
            guard let text = value.stringValue, let bytes = DataURI.decode(text) else {
                throw APIError.form([key], code: "IMAGE_INVALID", message: "Must be an image as a base64 data URI.")
            }
            object[key] = .string(try await keep(bytes, field: key))
        }
        return .object(object)
    }

    /// Keeps one image and returns its hash.
    func keep(_ bytes: [UInt8], field: String) async throws -> String {
        guard bytes.count <= Self.limit else {
            throw APIError.form([field], code: "BINARY_TYPE_MAX_SIZE", message: "File cannot be larger than 10 MiB.")
        }
        guard let header = ImageHeader(bytes), header.width <= Self.sideLimit, header.height <= Self.sideLimit else {
            throw APIError.form(
                [field], code: "IMAGE_INVALID",
                message: "Must be a PNG, JPEG, GIF or WebP image of at most 8192 pixels.")
        }
        let hash = ImageHash(of: bytes, header: header)
        guard let key = hash.key else { throw APIError.internalFailure }
        try await storage.put(
            UploadedContent(ByteBuffer(bytes: bytes)), at: key, contentType: header.format.contentType)
        return hash.text
    }
}
