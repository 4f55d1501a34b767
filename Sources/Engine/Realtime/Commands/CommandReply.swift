import FluxCore

/// What a performed command answers: the status and the body of a REST answer.
public struct CommandReply: Sendable, Equatable {
    /// 200, 201, or 204 with an empty body.
    public var status: Int
    /// JSON, or empty.
    public var body: [UInt8]

    public init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }

    /// 204: done, and nothing to say.
    public static let nothing = CommandReply(status: 204, body: [])

    /// 200 with what `write` writes.
    public static func ok(_ write: (inout JSONWriter) -> Void) -> CommandReply {
        var writer = JSONWriter()
        write(&writer)
        return CommandReply(status: 200, body: writer.bytes)
    }

    /// 201 with what `write` writes.
    public static func created(_ write: (inout JSONWriter) -> Void) -> CommandReply {
        var writer = JSONWriter()
        write(&writer)
        return CommandReply(status: 201, body: writer.bytes)
    }
}
