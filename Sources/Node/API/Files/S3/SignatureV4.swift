import FluxCore
import FluxSecurity
import Foundation

/// AWS Signature Version 4 for one request, as a pure function of it
/// (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
struct SignatureV4: Sendable {
    /// Who signs.
    let credentials: S3Configuration.Credentials
    /// Where the request goes.
    let region: String

    /// A request before it is signed.
    struct Request: Sendable {
        var method: String
        /// The path, percent-encoded.
        var path: String
        /// Names and values, not encoded.
        var query: [(name: String, value: String)] = []
        /// Names in lower case. `host` must be among them.
        var headers: [(name: String, value: String)]
        /// The SHA-256 of the body in hex, or `UNSIGNED-PAYLOAD`.
        var payloadHash: String
    }

    /// The SHA-256 of nothing.
    static let emptyPayload = Hexadecimal.encode(Digest.sha256([]))
    /// In place of a hash: the body is protected by TLS, not by the signature, so that it can be streamed.
    static let unsignedPayload = "UNSIGNED-PAYLOAD"

    /// The request's headers with those that signing adds, `authorization` among them. The time is Unix time in seconds.
    func sign(_ request: Request, at second: Int) -> [(name: String, value: String)] {
        let stamp = Self.stamp(second)
        let day = String(stamp.prefix(8))
        var headers = request.headers
        headers.append(("x-amz-content-sha256", request.payloadHash))
        headers.append(("x-amz-date", stamp))
        if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
        headers.sort { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")

        let query = request.query
            .map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.sorted().joined(
                separator: "&")
        let canonical =
            [request.method, request.path, query]
            + headers.map { "\($0.name):\($0.value)" } + ["", names, request.payloadHash]
        let canonicalHash = Digest.sha256(Array(canonical.joined(separator: "\n").utf8))
        let scope = "\(day)/\(region)/s3/aws4_request"
        let toSign = ["AWS4-HMAC-SHA256", stamp, scope, Hexadecimal.encode(canonicalHash)].joined(separator: "\n")

        var key = Array("AWS4\(credentials.secretAccessKey)".utf8)
        for step in [day, region, "s3", "aws4_request"] { key = HMAC.sha256(key: key, message: Array(step.utf8)) }
        let signature = Hexadecimal.encode(HMAC.sha256(key: key, message: Array(toSign.utf8)))
        headers.append(
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope),SignedHeaders=\(names),Signature=\(signature)"
            ))
        return headers
    }

    /// `20130524T000000Z`.
    private static func stamp(_ second: Int) -> String {
        var clock = time_t(second)
        var parts = tm()
        gmtime_r(&clock, &parts)
        func padded(_ number: Int32, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return padded(parts.tm_year + 1900, 4) + padded(parts.tm_mon + 1, 2) + padded(parts.tm_mday, 2) + "T"
            + padded(parts.tm_hour, 2) + padded(parts.tm_min, 2) + padded(parts.tm_sec, 2) + "Z"
    }
}
