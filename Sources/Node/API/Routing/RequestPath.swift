/// The path of a request in the one form that routes are written in.
enum RequestPath {
    /// `/api/v10/…` and `/api/v9/…` become `/api/…`, and `%40me` becomes `@me`; the query stays.
    static func canonical(_ path: String) -> String {
        var canonical = path
        for prefix in ["/api/v10", "/api/v9"] where path.hasPrefix(prefix) {
            let rest = path.dropFirst(prefix.count)
            if rest.isEmpty || rest.first == "/" || rest.first == "?" {
                canonical = "/api" + rest
                break
            }
        }
        guard canonical.contains("%40me") else { return canonical }
        let parts = canonical.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let segments = parts[0].split(separator: "/", omittingEmptySubsequences: false)
        let head = segments.map { $0 == "%40me" ? "@me" : $0 }.joined(separator: "/")
        return parts.count == 2 ? "\(head)?\(parts[1])" : head
    }
}
