import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension Endpoint {
    /// The same endpoint with a port that is free now, where the port is 0: links and the gateway's address carry the
    /// port, so it has to be known before the server is made.
    /// - Parameter name: what the endpoint is called in the configuration, for the failure.
    func withPort(of name: String, on group: any EventLoopGroup) async throws(CommandFailure) -> Endpoint {
        guard port == 0 else { return self }
        do {
            let channel = try await ServerBootstrap(group: group).bind(host: host, port: 0).get()
            let port = channel.localAddress?.port ?? 0
            try await channel.close()
            return Endpoint(host: host, port: port)
        } catch {
            throw CommandFailure(listeningOn: "\(name) \(self)", error)
        }
    }
}

extension CommandFailure {
    /// An address that cannot be listened on, in the system's words and without those of the library.
    /// - Parameter name: the key of the configuration and its value.
    init(listeningOn name: String, _ error: any Error) {
        let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
        self.init(.unavailable, "\(name): cannot be listened on: \(reason)")
    }
}
