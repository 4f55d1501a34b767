import FluxCore

/// Where an S3-compatible storage is and who we are there: AWS, R2, or any endpoint that speaks Signature Version 4.
public struct S3Configuration: Sendable {
    /// Whether TLS is spoken. Without it payloads are not protected: only for this machine or a private network.
    public var isSecure: Bool
    /// The endpoint's host name or address.
    public var host: String
    /// The endpoint's port.
    public var port: Int
    /// The bucket.
    public var bucket: String
    /// Whether the bucket stands in the path (`https://host/bucket/key`), which every implementation understands, or else
    /// in front of the host name.
    public var isPathStyle: Bool
    /// The region; `auto` for R2.
    public var region: String
    /// Who signs.
    public var credentials: Credentials
    /// Put in front of every key, such as `flux/`; may be empty.
    public var prefix: String
    /// Certificates that are trusted instead of the system's, in PEM.
    public var authoritiesPEM: [UInt8]?

    /// An access key.
    public struct Credentials: Sendable, CustomStringConvertible {
        /// The key's id.
        public var accessKeyID: String
        /// The key's secret half.
        public var secretAccessKey: String
        /// The token of temporary credentials.
        public var sessionToken: String?

        /// Makes credentials.
        public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
            self.accessKeyID = accessKeyID
            self.secretAccessKey = secretAccessKey
            self.sessionToken = sessionToken
        }

        /// The id alone, so that a log line cannot give the secret away.
        public var description: String { accessKeyID }
    }

    /// Makes a configuration from an endpoint such as `https://s3.eu-central-1.amazonaws.com`; nil if that is no http or
    /// https URL of a host.
    public init?(
        endpoint: String, bucket: String, region: String, credentials: Credentials, prefix: String = "",
        isPathStyle: Bool = true, authoritiesPEM: [UInt8]? = nil
    ) {
        let rest: Substring
        if endpoint.hasPrefix("https://") {
            isSecure = true
            rest = endpoint.dropFirst("https://".count)
        } else if endpoint.hasPrefix("http://") {
            isSecure = false
            rest = endpoint.dropFirst("http://".count)
        } else {
            return nil
        }
        let authority = rest.last == "/" ? rest.dropLast() : rest
        guard !authority.isEmpty, !authority.contains("/"), !authority.contains("?") else { return nil }
        port = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(number) else {
                return nil
            }
            port = number
            host = String(authority[..<colon])
        } else {
            host = String(authority)
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.bucket = bucket
        self.region = region
        self.credentials = credentials
        self.prefix = prefix
        self.isPathStyle = isPathStyle
        self.authoritiesPEM = authoritiesPEM
    }

    /// The path of an object, percent-encoded segment by segment.
    func path(of key: ObjectKey) -> String {
        let segments = "\(prefix)\(key)".split(separator: "/").map { PercentEncoding.encode(String($0)) }
        return "/" + ((isPathStyle ? [PercentEncoding.encode(bucket)] : []) + segments).joined(separator: "/")
    }

    /// The host that is connected to: the endpoint's, with the bucket in front where that is its place.
    var serverName: String { isPathStyle ? host : "\(bucket).\(host)" }

    /// The value of the `Host` field: without the port where that is the scheme's own.
    var hostField: String {
        let name = host.contains(":") ? "[\(host)]" : serverName
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }
}
