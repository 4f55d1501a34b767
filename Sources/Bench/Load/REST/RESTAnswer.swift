import FluxCore
import NIOCore
import NIOHTTP1

/// A request of the REST API.
struct RESTRequest: Sendable {
    var method: HTTPMethod
    /// Below the origin, with its query.
    var path: String
    /// Who asks.
    var token: String
    /// JSON.
    var body: [UInt8]?
}

/// An answer, whatever its status.
struct RESTAnswer: Sendable {
    let status: Int
    let body: [UInt8]

    /// The body; null when there is none.
    var json: JSON { (try? JSON.parse(body)) ?? .null }
    /// What it says, short enough for a report.
    var summary: String { "\(status) \(String(decoding: body.prefix(200), as: UTF8.self))" }
}

/// Why there is no answer.
enum RESTFailure: Error, Sendable, Equatable {
    /// Nothing was sent: the node could not be reached.
    case unreachable
    /// What became of the request is not known: the connection ended, or no answer came in time.
    case unanswered
}
