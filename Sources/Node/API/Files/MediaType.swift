/// What a file is, as far as browsers may be told.
///
/// A file is served with the type of its name's extension, and only if that is in this table: what an uploader claims is
/// never sent back as a header.
enum MediaType {
    /// The type of any file that has no better one.
    static let unknown = "application/octet-stream"

    /// The type that a file name stands for; nil if its extension is not known.
    static func of(_ filename: String) -> String? {
        FileName.extension(of: filename).flatMap { byExtension[$0.lowercased()] }
    }

    /// Whether a browser may show it inside a page: pictures, sound and film, but not SVG, which can hold scripts.
    static func isShownInline(_ type: String) -> Bool {
        (type.hasPrefix("image/") && !type.hasPrefix("image/svg")) || type.hasPrefix("audio/")
            || type.hasPrefix("video/")
    }

    /// Whether a claimed type is one (RFC 9110 8.3.1), so that it may stand in a JSON answer.
    static func isValid(_ type: String) -> Bool {
        let parts = type.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && type.utf8.count <= 100
            && parts.allSatisfy { part in
                !part.isEmpty
                    && part.utf8.allSatisfy { byte in
                        switch byte {
                        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                            UInt8(ascii: "+"), UInt8(ascii: "_"):
                            true
                        default: false
                        }
                    }
            }
    }

    private static let byExtension: [String: String] = [
        "png": "image/png", "apng": "image/apng", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
        "webp": "image/webp", "avif": "image/avif", "bmp": "image/bmp", "svg": "image/svg+xml",
        "mp3": "audio/mpeg", "ogg": "audio/ogg", "opus": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac",
        "m4a": "audio/mp4", "mp4": "video/mp4", "webm": "video/webm", "mov": "video/quicktime",
        "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html", "css": "text/css",
        "js": "text/javascript", "json": "application/json", "xml": "application/xml", "pdf": "application/pdf",
        "zip": "application/zip", "gz": "application/gzip", "tar": "application/x-tar",
        "7z": "application/x-7z-compressed",
    ]
}
