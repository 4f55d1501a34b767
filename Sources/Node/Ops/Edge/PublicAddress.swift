/// The origin by which clients reach the node.
struct PublicAddress: Sendable, Equatable {
    /// `http://host:port` or `https://…`, without a slash at its end.
    let origin: String

    /// What is configured, or what follows from the address and from TLS.
    init(_ configuration: NodeConfiguration, listen: Endpoint) {
        if let given = configuration.publicURL {
            origin = given
            return
        }
        var reachable = listen
        // An address that means "every interface" is one that nobody can connect to.
        if ["0.0.0.0", "::"].contains(listen.host) { reachable.host = "127.0.0.1" }
        origin = "\(configuration.tls.certificate == nil ? "http" : "https")://\(reachable)"
    }

    /// Where gateways connect: `ws` or `wss`, and a path, because nextcord appends a query.
    var gatewayURL: String {
        "ws" + origin.dropFirst("http".count) + "/"
    }
}
