import FluxCore
import FluxSecurity
import HTTPTypes
import Hummingbird
import NIOCore

/// The files at the root of the origin (protocol 5.12).
///
/// Nothing here can run in the origin's name: every answer forbids type sniffing and puts the document into a sandbox
/// without scripts, and what is no picture, sound or film is a download.
public struct FileRoutes: Sendable {
    private let storage: any ObjectStorage

    /// Makes the routes over a storage.
    public init(storage: any ObjectStorage) { self.storage = storage }

    /// Adds the routes to a table.
    public func register(in routes: RouteTable) {
        for method in [HTTPRequest.Method.get, .head] {
            routes.addAtRoot(method, "/attachments/{channel}/{attachment}/{file}") { try await attachment($0) }
            routes.addAtRoot(method, "/embed/avatars/{file}") { try defaultAvatar($0) }
            for kind in ["avatars", "icons", "banners", "role-icons", "app-icons", "channel-icons"] {
                routes.addAtRoot(method, "/\(kind)/{owner}/{file}") { try await image($0) }
            }
            routes.addAtRoot(method, "/guilds/{guild}/users/{user}/avatars/{file}") { try await image($0) }
        }
    }

    private func attachment(_ call: Call) async throws -> Answer {
        guard let channelID = Snowflake(try call.text("channel")),
            let attachmentID = Snowflake(try call.text("attachment")),
            let key = AttachmentStore.key(
                channelID: channelID, attachmentID: attachmentID, filename: try call.text("file"))
        else { throw APIError.notFound }
        let filename = try call.text("file")
        let type = MediaType.of(filename) ?? MediaType.unknown
        var headers = Self.headers(type: type, tag: Self.tag(of: key), cache: "private, max-age=31536000, immutable")
        headers[.acceptRanges] = "bytes"
        if !MediaType.isShownInline(type) {
            headers[.contentDisposition] = "attachment; filename*=UTF-8''\(PercentEncoding.encode(filename))"
        }
        if Self.hasCopy(call, tag: Self.tag(of: key)) { return Answer(status: 304, headers: headers) }
        do {
            guard let object = try await storage.open(key, range: Self.range(of: call, tag: Self.tag(of: key))) else {
                throw APIError.notFound
            }
            let isPart = object.range.count < object.size
            if isPart {
                headers[.contentRange] =
                    "bytes \(object.range.lowerBound)-\(object.range.upperBound - 1)/\(object.size)"
            }
            return Answer(
                status: isPart ? 206 : 200, headers: headers,
                body: Self.body(object, first: nil, isWanted: call.request.method == .get))
        } catch StorageError.unsatisfiable(let size) {
            headers[.contentType] = nil
            headers[.contentRange] = "bytes */\(size)"
            return Answer(status: 416, headers: headers)
        }
    }

    /// An avatar, icon or banner. The stored image answers every extension and size.
    private func image(_ call: Call) async throws -> Answer {
        let file = try call.text("file")
        guard let dot = file.lastIndex(of: "."), let key = ImageHash(file[..<dot])?.key else { throw APIError.notFound }
        let tag = Self.tag(of: key)
        let cache = "public, max-age=31536000, immutable"
        if Self.hasCopy(call, tag: tag) {
            return Answer(status: 304, headers: Self.headers(type: nil, tag: tag, cache: cache))
        }
        guard let object = try await storage.open(key, range: nil), let first = try await object.reader.next(),
            let format = ImageHeader.format(of: first.readableBytesView)
        else { throw APIError.notFound }
        return Answer(
            status: 200, headers: Self.headers(type: format.contentType, tag: tag, cache: cache),
            body: Self.body(object, first: first, isWanted: call.request.method == .get))
    }

    private func defaultAvatar(_ call: Call) throws -> Answer {
        let file = try call.text("file")
        guard file.hasSuffix(".png"), let number = Int(file.dropLast(4)),
            DefaultAvatar.pictures.indices.contains(number)
        else { throw APIError.notFound }
        let tag = "\"default-\(number)\""
        let headers = Self.headers(type: "image/png", tag: tag, cache: "public, max-age=86400")
        if Self.hasCopy(call, tag: tag) { return Answer(status: 304, headers: headers) }
        return Answer(
            status: 200, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: DefaultAvatar.pictures[number])))
    }

    private static func headers(type: String?, tag: String, cache: String) -> HTTPFields {
        var headers: HTTPFields = [
            .eTag: tag, .cacheControl: cache, .contentTypeOptions: "nosniff",
            .contentSecurityPolicy: "sandbox; default-src 'none'",
        ]
        if let type { headers[.contentType] = type }
        return headers
    }

    /// Objects never change, so their key names their content.
    private static func tag(of key: ObjectKey) -> String {
        "\"\(Hexadecimal.encode(Digest.sha256(Array(key.description.utf8))).prefix(32))\""
    }

    /// Whether the client says that it has these bytes already (RFC 9110 13.1.2).
    private static func hasCopy(_ call: Call, tag: String) -> Bool {
        call.request.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }.contains { candidate in
            let candidate = candidate.filter { $0 != " " }
            return candidate == "*" || candidate == tag || candidate == "W/\(tag)"
        }
    }

    /// The range that is asked for, unless it belongs to other bytes (RFC 9110 13.1.5).
    private static func range(of call: Call, tag: String) -> RequestedRange? {
        if let condition = call.request.headers[.ifRange], condition != tag { return nil }
        return call.request.headers[.range].flatMap(RequestedRange.init)
    }

    /// The bytes of an open object. For HEAD the length alone.
    private static func body(_ object: OpenObject, first: ByteBuffer?, isWanted: Bool) -> ResponseBody {
        ResponseBody(contentLength: object.range.count) { writer in
            if isWanted {
                if let first { try await writer.write(first) }
                while let piece = try await object.reader.next() { try await writer.write(piece) }
            }
            try await writer.finish(nil)
        }
    }
}
