import FluxCore
import HTTPTypes
import Hummingbird
import NIOCore

/// Reads request bodies within a bound, chunked ones as well as those that say their length.
public enum BodyCollector {
    /// The most that a JSON body may have, in bytes.
    public static let jsonLimit = 1 << 20

    /// The whole body in one buffer. 413/40005 beyond the limit; a length that is announced is refused before the first
    /// byte is kept.
    static func collect(_ request: Request, limit: Int) async throws -> ByteBuffer {
        try refuseAnnounced(beyond: limit, request)
        var whole = ByteBuffer()
        for try await var part in request.body {
            guard whole.readableBytes + part.readableBytes <= limit else { throw APIError.requestTooLarge }
            if whole.readableBytes == 0 { whole = part } else { whole.writeBuffer(&part) }
        }
        return whole
    }

    /// Throws 413/40005 if the request announces more than the limit.
    static func refuseAnnounced(beyond limit: Int, _ request: Request) throws(APIError) {
        if let length = request.headers[.contentLength].flatMap(Int.init), length > limit {
            throw .requestTooLarge
        }
    }
}
