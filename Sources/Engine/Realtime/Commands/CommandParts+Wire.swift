import FluxCluster
import FluxCore

extension Caller: WireCodable {
    public func encode(to writer: inout WireWriter) {
        userID.encode(to: &writer)
        writer.bool(isBot)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self.init(userID: try reader.value(), isBot: try reader.bool())
    }
}

extension CommandReply: WireCodable {
    public func encode(to writer: inout WireWriter) {
        writer.signed(status)
        writer.byteArray(body)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self.init(status: try reader.signed(), body: try reader.byteArray())
    }
}

/// Values of the core that travel in commands.
extension JSON: WireCodable {
    /// Its text behind its length; null, which most commands carry, as an empty one.
    public func encode(to writer: inout WireWriter) {
        writer.byteArray(self == .null ? [] : encoded())
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let bytes = try reader.byteArray()
        guard !bytes.isEmpty else {
            self = .null
            return
        }
        do throws(JSONError) {
            self = try JSON.parse(bytes)
        } catch {
            throw .malformed("not JSON")
        }
    }
}

extension Emoji: WireCodable {
    public func encode(to writer: inout WireWriter) {
        writer.optional(id)
        writer.string(name)
        writer.bool(animated)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self.init(id: try reader.optional(), name: try reader.string(), animated: try reader.bool())
    }
}

extension Attachment: WireCodable {
    public func encode(to writer: inout WireWriter) {
        id.encode(to: &writer)
        writer.string(filename)
        writer.signed(size)
        writer.optional(contentType)
        writer.optional(width)
        writer.optional(height)
        writer.optional(description)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self.init(
            id: try reader.value(), filename: try reader.string(), size: try reader.signed(),
            contentType: try reader.optional(), width: try reader.optional(), height: try reader.optional(),
            description: try reader.optional())
    }
}
