import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import flux_bench

@Suite(.timeLimit(.minutes(1))) struct RESTClientTests {
    /// A port of the loopback that refuses every connection: it is taken, and nobody listens.
    private func refusingPort() throws -> (port: Int, socket: Int32) {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        try #require(isBound)
        return (Int(in_port_t(bigEndian: address.sin_port)), socket)
    }

    /// A node that does not run is told at once, to everybody who waits for it, so that they ask another one.
    @Test func whoWaitsForADeadNodeIsToldEveryTime() async throws {
        let (port, socket) = try refusingPort()
        defer { close(socket) }
        let target = try Target("http://127.0.0.1:\(port)")
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let client = try await loop.submit {
            NIOLoopBound(RESTClient(on: loop, width: 4, limit: .seconds(30)), eventLoop: loop)
        }.get()
        for _ in 0..<3 {
            let failures = try await loop.flatSubmit {
                let requests = (0..<10).map { _ in
                    client.value.send(RESTRequest(method: .GET, path: "/", token: "", body: nil), to: target)
                        .map { "\($0.status)" }.recover { "\($0)" }
                }
                return EventLoopFuture.whenAllSucceed(requests, on: loop)
            }.get()
            #expect(failures == Array(repeating: "unreachable", count: 10))
        }
    }
}
