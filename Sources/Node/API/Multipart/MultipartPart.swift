/// The header of one part: what its content is called and what the client says it is (RFC 7578 4).
public struct MultipartPart: Sendable, Equatable {
    /// The field's name, from `Content-Disposition`.
    public let name: String
    /// The file's name as the client sent it, not cleaned; nil if it gave none.
    public let filename: String?
    /// The media type without parameters, in lower case; nil if none was given.
    public let contentType: String?

    /// Makes the header of a part.
    public init(name: String, filename: String?, contentType: String?) {
        self.name = name
        self.filename = filename
        self.contentType = contentType
    }

    /// The place of a file: n of `files[n]`, of `file<n>`, 0 of `file`. Nil for every other field, whether or not it has a
    /// file name, because aiohttp names every part of bytes.
    public var fileIndex: Int? {
        let digits: Substring
        if name == "file" { return 0 }
        if name.hasPrefix("files["), name.hasSuffix("]") {
            digits = name.dropFirst("files[".count).dropLast()
        } else if name.hasPrefix("file") {
            digits = name.dropFirst("file".count)
        } else {
            return nil
        }
        guard (1...4).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(digits)
    }

    /// Reads a header block without its final empty line; nil if it is none or names no field.
    init?(headerBlock: some Sequence<UInt8>) {
        let text = Self.text(of: Array(headerBlock))
        var name: String?
        var filename: String?
        var type: String?
        // By scalars, because a CR LF is one Character; a bare LF or CR is no line end but is harmless here.
        for line in text.unicodeScalars.split(whereSeparator: { $0 == "\r" || $0 == "\n" }) {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let field = String(line[..<colon]).lowercased()
            let value = line[line.index(after: colon)...]
            switch field {
            case "content-disposition":
                let parameters = HeaderParameters(value)
                guard parameters.value == "form-data" else { return nil }
                name = parameters["name"]
                filename = parameters.extended("filename") ?? parameters["filename"]
            case "content-type":
                let media = HeaderParameters(value).value
                type = media.isEmpty ? nil : media
            default:
                break
            }
        }
        guard let name else { return nil }
        self.init(name: name, filename: filename, contentType: type)
    }

    /// Names come as UTF-8; bytes that are none are read as Latin-1, which never fails.
    private static func text(of bytes: [UInt8]) -> String {
        String(validating: bytes, as: UTF8.self)
            ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }
}
