import NIOCore
import NIOPosix

extension Endpoint {
    /// The same endpoint with a port that is free now, where the port is 0: links and the gateway's address carry the
    /// port, so it has to be known before the server is made.
    func withPort(on group: any EventLoopGroup) async throws(CommandFailure) -> Endpoint {
        guard port == 0 else { return self }
        do {
            let channel = try await ServerBootstrap(group: group).bind(host: host, port: 0).get()
            let port = channel.localAddress?.port ?? 0
            try await channel.close()
            return Endpoint(host: host, port: port)
        } catch {
            throw CommandFailure(.unavailable, "\(self): cannot be listened on: \(error)")
        }
    }
}
