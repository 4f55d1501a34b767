import FluxCore
import HTTPTypes
import Hummingbird
import NIOCore

/// One request to one route, with total accessors for what clients put into it.
public struct Call: Sendable {
    /// The request as it came, its path below `/api` whichever prefix it had.
    public let request: Request
    /// Address, captured segments, logger.
    public let context: FluxRequestContext
    /// Who calls; nil on routes for anyone.
    public let credential: Credential?
    /// The parameters after the `?`.
    public let query: QueryParameters

    /// Makes the call that a route handles.
    public init(request: Request, context: FluxRequestContext, credential: Credential?) {
        self.request = request
        self.context = context
        self.credential = credential
        query = QueryParameters(request.uri.query)
    }

    /// Who calls. On a route for anyone, which has no caller, this throws 401.
    public var caller: Credential {
        get throws(APIError) {
            guard let credential else { throw .unauthorized }
            return credential
        }
    }

    /// A captured segment, percent-decoded. 400/50035 if it does not decode.
    public func text(_ name: String) throws(APIError) -> String {
        guard let raw = context.parameters[name[...]], let text = PercentEncoding.decode(raw), !text.utf8.contains(0)
        else {
            throw .form([name], code: "BASE_TYPE_BAD_LENGTH", message: "Not a valid path segment.")
        }
        return text
    }

    /// A captured segment that must be an id. 400/50035 if it is none.
    public func id(_ name: String) throws(APIError) -> Snowflake {
        guard let id = Snowflake(try text(name)) else {
            throw .form(["\(name)_id"], code: "NUMBER_TYPE_COERCE", message: "Value is not a snowflake.")
        }
        return id
    }

    /// A captured segment that is a user's id, or `@me` for the caller's own.
    public func userID(_ name: String = "user") throws(APIError) -> UserID {
        try text(name) == "@me" ? try caller.userID : try id(name)
    }

    /// The reason for the audit log: percent-decoded, without NUL, at most 512 characters, nil if absent or empty.
    public var auditLogReason: String? {
        guard let raw = request.headers[.auditLogReason] else { return nil }
        let text = (PercentEncoding.decode(raw) ?? raw).unicodeScalars.lazy.filter { $0 != "\0" }
        let reason = String(String.UnicodeScalarView(text.prefix(512)))
        return reason.isEmpty ? nil : reason
    }

    /// The body as JSON; nil if there is none. 413/40005 beyond the limit, which is 1 MiB where nothing is said; 400/50109
    /// if it is not JSON.
    public func optionalJSON(limit: Int = BodyCollector.jsonLimit) async throws -> JSON? {
        let bytes = try await BodyCollector.collect(request, limit: limit)
        guard bytes.readableBytes > 0 else { return nil }
        do throws(JSONError) {
            return try JSON.parse(Array(buffer: bytes))
        } catch {
            throw APIError.notJSON
        }
    }

    /// The body as JSON; an absent one counts as `{}`, because libraries leave empty bodies out.
    public func json(limit: Int = BodyCollector.jsonLimit) async throws -> JSON {
        try await optionalJSON(limit: limit) ?? .object(JSONObject())
    }

    /// The media type of the body in lower case, without parameters.
    public var contentType: String? {
        request.headers[.contentType]?.split(separator: ";").first.map {
            $0.lowercased().filter { $0 != " " && $0 != "\t" }
        }
    }
}
