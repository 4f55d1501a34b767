import FluxCore
import HTTPTypes
import Hummingbird
import NIOCore

/// What a route answers, before the conventions of protocol 3.3 are put on it.
public struct Answer: Sendable {
    /// The HTTP status.
    public var status: Int
    /// Fields of this answer alone; the ones that every answer has are added later.
    public var headers: HTTPFields
    /// The body, with its length where that is known.
    public var body: ResponseBody

    /// Makes any answer; the routes of the JSON API use the makers below.
    public init(status: Int, headers: HTTPFields = [:], body: ResponseBody = ResponseBody()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// 204 without a body.
    public static let noContent = Answer(status: 204)

    /// A JSON body. The type is exactly `application/json`: three libraries compare the string.
    public static func json(_ bytes: [UInt8], status: Int = 200) -> Answer {
        Answer(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// A JSON body.
    public static func json(_ json: JSON, status: Int = 200) -> Answer { .json(json.encoded(), status: status) }

    /// The answer to a refusal: its body as protocol 3.5 has it, with `Retry-After` in whole seconds where it says when.
    public static func refusal(_ error: APIError) -> Answer {
        var answer = Answer.json(error.encoded(), status: error.status)
        if let seconds = error.retryAfter, seconds.isFinite {
            answer.headers[.retryAfter] = String(max(1, Int(min(seconds, 86_400).rounded(.up))))
        }
        return answer
    }

    /// The response to send. A 204 says nothing about a body (RFC 9110 8.6).
    func response() -> Response {
        var response = Response(status: HTTPResponse.Status(code: status), headers: headers, body: body)
        if status == 204 { response.headers[.contentLength] = nil }
        return response
    }
}
