/// One node's client port, from its URL.
struct Target: Sendable, Hashable, CustomStringConvertible {
    let host: String
    let port: Int

    /// What stands in `Host`.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    var description: String { "http://\(authority)" }

    /// Reads `http://HOST[:PORT]`. TLS is not spoken: load is put on the port behind the proxy, or on one without it.
    init(_ url: String) throws(RunFailure) {
        guard !url.hasPrefix("https://"), !url.hasPrefix("wss://") else {
            throw RunFailure("\(url): flux-bench speaks no TLS; give it a plain port of the node")
        }
        var rest = url[...]
        for scheme in ["http://", "ws://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        let host: Substring
        var port = 80
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            host = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
        } else {
            host = rest.prefix { $0 != ":" }
            rest = rest.dropFirst(host.count)
        }
        if rest.hasPrefix(":") {
            guard let number = Int(rest.dropFirst()), (1...65_535).contains(number) else {
                throw RunFailure("\(url): the port has to be a number from 1 to 65535")
            }
            port = number
        } else if !rest.isEmpty {
            throw RunFailure("\(url): an origin like http://127.0.0.1:8080 is wanted, without a path")
        }
        guard !host.isEmpty, !host.contains("/") else {
            throw RunFailure("\(url): an origin like http://127.0.0.1:8080 is wanted")
        }
        self.host = String(host)
        self.port = port
    }
}
