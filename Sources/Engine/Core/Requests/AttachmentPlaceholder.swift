/// An element of a body's `attachments`: a new file by its number among the parts, or in an edit one that stays.
public struct AttachmentPlaceholder: Sendable, Equatable {
    /// The number `n` of `files[n]`, or the id of a stored attachment.
    public var id: UInt64
    public var filename: String?
    public var description: String?

    public init(id: UInt64, filename: String? = nil, description: String? = nil) {
        self.id = id
        self.filename = filename
        self.description = description
    }

    /// The number of the part, if this stands for a new file: ids of stored attachments are far beyond these.
    public var partNumber: Int? {
        id < 1 << 20 ? Int(id) : nil
    }

    static func list(from reader: inout BodyReader) -> [AttachmentPlaceholder]? {
        switch reader.list("attachments", count: 0...MessageLimits.attachments) {
        case .absent: return nil
        case .null: return []
        case .value(let elements):
            var placeholders: [AttachmentPlaceholder] = []
            for (index, element) in elements.enumerated() {
                var inner = BodyReader(element, path: ["attachments", String(index)])
                let filename = inner.string("filename", length: 1...MessageLimits.filename).value
                let description = inner.string("description", length: 0...MessageLimits.attachmentDescription).value
                // Libraries number their files from 0, as numbers or as strings; an id left out is the position.
                let id: UInt64? =
                    switch element["id"] {
                    case .string(let text): Snowflake(cursor: text)?.rawValue
                    case .number(let number): number.unsignedValue
                    case nil, .null: UInt64(index)
                    default: nil
                    }
                if let id {
                    placeholders.append(AttachmentPlaceholder(id: id, filename: filename, description: description))
                } else {
                    inner.refuse("id", code: "NUMBER_TYPE_COERCE", message: "The value is not snowflake.")
                }
                reader.merge(inner)
            }
            return placeholders
        }
    }
}
