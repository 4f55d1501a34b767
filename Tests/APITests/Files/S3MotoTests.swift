import NIOPosix
import Testing

@testable import FluxAPI

/// The client against a foreign implementation of S3.
@Suite(.enabled(if: MotoServer.command != nil, "moto_server is not installed")) struct S3MotoTests {
    @Test func itKeepsTheContract() async throws {
        let server = try await MotoServer()
        // Any user may make a bucket there.
        let made = try await TestClient(port: server.port).send("PUT", "/bucket", as: nil, [("content-length", "0")])
        #expect(made.status == 200)
        let configuration = try #require(
            S3Configuration(
                endpoint: "http://127.0.0.1:\(server.port)", bucket: "bucket", region: "us-east-1",
                credentials: .init(accessKeyID: "id", secretAccessKey: "secret"), prefix: "flux/"))
        try await StorageContract.check(S3Storage(configuration, group: MultiThreadedEventLoopGroup.singleton))
    }
}
